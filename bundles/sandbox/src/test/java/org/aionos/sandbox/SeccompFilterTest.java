package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.aionos.document.InvalidDocument;
import org.aionos.sandbox.SeccompProfile.Comparison;
import org.aionos.sandbox.SeccompProfile.Operator;
import org.aionos.sandbox.SeccompProfile.Rule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SeccompFilterTest {

  private static final int EPERM = 0x00050001;
  private static final int ENOSYS = 0x00050026;

  /** The numbers that make comparisons and their halves differ. */
  private static final long[] VALUES = {
    0,
    1,
    2,
    10,
    16,
    21505,
    21523,
    0x5412,
    0x1_0000_5412L,
    0x1_0000_5413L,
    0x7e02_0000L,
    0x1000_0000L,
    0x0002_0000L,
    0x0120_0011L,
    0x003d_0f00L,
    1L << 32,
    0x8000_0000L,
    0xffff_ffffL,
    -1L,
    Long.MIN_VALUE
  };

  private final Random random = new Random(1);

  @Test
  void the_shipped_profile_admits_what_a_program_needs_and_little_more() throws Exception {
    byte[] filter = SeccompFilter.of(shipped());

    assertThat(answer(filter, "read")).isEqualTo(SeccompProfile.ALLOW);
    assertThat(answer(filter, "execve")).isEqualTo(SeccompProfile.ALLOW);
    assertThat(answer(filter, "clone", 0x0120_0011)).isEqualTo(SeccompProfile.ALLOW);
    assertThat(answer(filter, "clone", 0x1000_0011)).isEqualTo(EPERM);
    assertThat(answer(filter, "clone3")).isEqualTo(ENOSYS);
    assertThat(answer(filter, "socket", 2)).isEqualTo(EPERM);
    assertThat(answer(filter, "ptrace")).isEqualTo(EPERM);
    assertThat(answer(filter, "ioctl", 0, 0x5401)).isEqualTo(SeccompProfile.ALLOW);
    assertThat(answer(filter, "ioctl", 0, 0x5412)).isEqualTo(EPERM);
    assertThat(answer(filter, "ioctl", 0, 0x1_0000_5412L)).isEqualTo(EPERM);
    assertThat(answer(filter, "ioctl", 0, 0x1_0000_5401L)).isEqualTo(EPERM);
  }

  @Test
  void agents_may_besides_have_streams_to_this_host_and_no_other_socket() throws Exception {
    byte[] filter = SeccompFilter.of(shipped("seccomp_profile.agent.json"));
    int stream = 1;
    int andMore = 0x80800;

    assertThat(answer(filter, "socket", 2, stream, 0)).isEqualTo(SeccompProfile.ALLOW);
    assertThat(answer(filter, "socket", 2, stream | andMore, 6)).isEqualTo(SeccompProfile.ALLOW);
    assertThat(answer(filter, "socket", 1, stream | andMore, 0)).isEqualTo(SeccompProfile.ALLOW);
    assertThat(answer(filter, "connect")).isEqualTo(SeccompProfile.ALLOW);
    for (long family = 0; family < 64; family++) {
      for (long type = 0; type < 16; type++) {
        if (family != 1 && family != 2 || type != stream) {
          assertThat(answer(filter, "socket", family, type, 0)).isEqualTo(EPERM);
        }
      }
    }
    assertThat(answer(filter, "socket", 2, stream, 132)).as("sctp").isEqualTo(EPERM);
    assertThat(answer(filter, "socket", 2, stream, 262)).as("mptcp").isEqualTo(EPERM);
    assertThat(answer(filter, "socket", 1L << 32 | 2, stream, 0)).isEqualTo(EPERM);
    assertThat(answer(filter, "socket", 2, 1L << 40 | stream, 0)).isEqualTo(EPERM);
  }

  @Test
  void what_tools_are_admitted_agents_are_too_and_what_tools_are_denied_but_sockets_they_are()
      throws Exception {
    byte[] ofTools = SeccompFilter.of(shipped());
    byte[] ofAgents = SeccompFilter.of(shipped("seccomp_profile.agent.json"));
    Set<Integer> different = new TreeSet<>();
    for (int call = 0; call < 500; call++) {
      for (int i = 0; i < 200; i++) {
        long[] arguments = arguments();
        if (BpfMachine.run(ofTools, BpfMachine.X86_64, call, arguments)
            != BpfMachine.run(ofAgents, BpfMachine.X86_64, call, arguments)) {
          different.add(call);
        }
      }
    }

    assertThat(different)
        .isSubsetOf(
            Stream.of(
                    "socket",
                    "connect",
                    "accept",
                    "accept4",
                    "sendto",
                    "recvfrom",
                    "sendmsg",
                    "recvmsg",
                    "sendmmsg",
                    "recvmmsg",
                    "shutdown",
                    "bind",
                    "listen",
                    "getsockname",
                    "getpeername",
                    "setsockopt",
                    "getsockopt")
                .map(SystemCalls::number)
                .toList());
  }

  @Test
  void another_architecture_is_killed_and_the_x32_interface_is_not_there() throws Exception {
    byte[] filter = SeccompFilter.of(shipped());

    assertThat(BpfMachine.run(filter, 0x40000003, 3, new long[6]))
        .isEqualTo(SeccompProfile.KILL_PROCESS);
    assertThat(BpfMachine.run(filter, 0xc00000b7, 63, new long[6]))
        .isEqualTo(SeccompProfile.KILL_PROCESS);
    assertThat(BpfMachine.run(filter, BpfMachine.X86_64, 0x40000000, new long[6]))
        .isEqualTo(ENOSYS);
    assertThat(BpfMachine.run(filter, BpfMachine.X86_64, -1, new long[6])).isEqualTo(ENOSYS);
  }

  @Test
  void a_filter_answers_as_its_profile_reads() throws Exception {
    assertAnswersAsItReads(shipped());
    assertAnswersAsItReads(shipped("seccomp_profile.agent.json"));
    for (int i = 0; i < 200; i++) {
      assertAnswersAsItReads(arbitrary());
    }
  }

  @Test
  void a_filter_answers_as_that_of_libseccomp() throws Exception {
    Optional<Libseccomp> library = Libseccomp.find();
    if (library.isEmpty()) {
      // The test above holds the filter against its profile on any machine.
      return;
    }
    List<SeccompProfile> profiles =
        new ArrayList<>(List.of(shipped(), shipped("seccomp_profile.agent.json")));
    for (Operator operator : Operator.values()) {
      profiles.add(
          new SeccompProfile(
              EPERM,
              List.of(
                  new Rule(
                      Set.of("read", "ioctl"),
                      SeccompProfile.ALLOW,
                      List.of(
                          new Comparison(1, operator, 0x1_0000_5412L, 0x1_0000_0412L),
                          new Comparison(0, Operator.GE, 2, 0))))));
    }
    for (SeccompProfile profile : profiles) {
      byte[] ours = SeccompFilter.of(profile);
      byte[] theirs = library.get().filter(profile);
      for (int number = 0; number < 600; number++) {
        for (int i = 0; i < 300; i++) {
          long[] arguments = arguments();
          assertThat(BpfMachine.run(ours, BpfMachine.X86_64, number, arguments))
              .as("call %s of %s with %s", number, profile, arguments)
              .isEqualTo(BpfMachine.run(theirs, BpfMachine.X86_64, number, arguments));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[]}",
        "{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[]}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"]}]}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}]}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_MAYBE\"}]}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\","
            + "\"args\":[{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\","
            + "\"args\":[{\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
            + "{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_KILL\",\"includes\":{\"minKernel\":\"4.8\"}}]}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"listenerPath\":\"/x\",\"syscalls\":[]}"
      })
  void a_profile_that_cannot_be_understood_is_refused(String json) {
    assertThatThrownBy(() -> SeccompProfile.read(json.getBytes(UTF_8)))
        .isInstanceOf(InvalidDocument.class);
  }

  @Test
  void a_rule_for_holders_of_a_capability_is_left_out() throws Exception {
    SeccompProfile profile =
        SeccompProfile.read(
            """
            {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
              {"names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW"},
              {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
              {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
               "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]}]}
            """
                .getBytes(UTF_8));
    byte[] filter = SeccompFilter.of(profile);

    assertThat(answer(filter, "read")).isEqualTo(SeccompProfile.ALLOW);
    assertThat(answer(filter, "mount")).isEqualTo(EPERM);
    assertThat(answer(filter, "personality", -1)).isEqualTo(SeccompProfile.ALLOW);
    assertThat(answer(filter, "personality", 0xffff_ffffL)).isEqualTo(EPERM);
  }

  @Test
  void a_profile_longer_than_linux_takes_is_refused() {
    List<Rule> rules = new ArrayList<>();
    for (int i = 0; i < 900; i++) {
      rules.add(
          new Rule(
              Set.of("ioctl"),
              SeccompProfile.ALLOW,
              List.of(new Comparison(1, Operator.EQ, i, 0))));
    }

    assertThatThrownBy(() -> SeccompFilter.of(new SeccompProfile(EPERM, rules)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(
            answer(
                SeccompFilter.of(new SeccompProfile(EPERM, rules.subList(0, 700))),
                "ioctl",
                0,
                699))
        .isEqualTo(SeccompProfile.ALLOW);
  }

  // --- the profile, read again ----------------------------------------------------------------

  private void assertAnswersAsItReads(SeccompProfile profile) {
    byte[] filter = SeccompFilter.of(profile);
    for (int number = 0; number < 480; number++) {
      for (int i = 0; i < 20; i++) {
        long[] arguments = arguments();
        assertThat(BpfMachine.run(filter, BpfMachine.X86_64, number, arguments))
            .as("call %s of %s with %s", number, profile, arguments)
            .isEqualTo(asRead(profile, number, arguments));
      }
    }
  }

  private static int asRead(SeccompProfile profile, int number, long[] arguments) {
    Integer conditional = null;
    for (Rule rule : profile.rules()) {
      if (rule.names().stream()
          .map(SystemCalls::number)
          .anyMatch(each -> each != null && each == number)) {
        if (rule.arguments().isEmpty()) {
          return rule.action();
        }
        if (conditional == null
            && rule.arguments().stream().allMatch(each -> holds(each, arguments))) {
          conditional = rule.action();
        }
      }
    }
    return conditional == null ? profile.otherwise() : conditional;
  }

  private static boolean holds(Comparison each, long[] arguments) {
    long argument = arguments[each.index()];
    int order = Long.compareUnsigned(argument, each.value());
    return switch (each.operator()) {
      case EQ -> order == 0;
      case NE -> order != 0;
      case LT -> order < 0;
      case LE -> order <= 0;
      case GE -> order >= 0;
      case GT -> order > 0;
      case MASKED_EQ -> (argument & each.value()) == each.valueTwo();
    };
  }

  private SeccompProfile arbitrary() {
    List<String> names = List.of("read", "ioctl", "clone", "socket", "mmap");
    List<Rule> rules = new ArrayList<>();
    for (int i = 1 + random.nextInt(6); i > 0; i--) {
      List<Comparison> comparisons = new ArrayList<>();
      for (int j = random.nextInt(4); j > 0; j--) {
        Operator operator = Operator.values()[random.nextInt(Operator.values().length)];
        comparisons.add(new Comparison(random.nextInt(6), operator, value(), value()));
      }
      rules.add(
          new Rule(
              Set.of(names.get(random.nextInt(names.size()))),
              random.nextBoolean() ? SeccompProfile.ALLOW : ENOSYS,
              comparisons));
    }
    return new SeccompProfile(EPERM, rules);
  }

  private long[] arguments() {
    long[] arguments = new long[6];
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = random.nextInt(4) == 0 ? random.nextLong() : value();
    }
    return arguments;
  }

  private long value() {
    return VALUES[random.nextInt(VALUES.length)];
  }

  private static SeccompProfile shipped() throws IOException, InvalidDocument {
    return shipped("seccomp_profile.json");
  }

  private static SeccompProfile shipped(String file) throws IOException, InvalidDocument {
    return SeccompProfile.read(Files.readAllBytes(Path.of("../../config/sandbox").resolve(file)));
  }

  private static int answer(byte[] filter, String name, long... arguments) {
    long[] all = new long[6];
    System.arraycopy(arguments, 0, all, 0, arguments.length);
    return BpfMachine.run(filter, BpfMachine.X86_64, SystemCalls.number(name), all);
  }
}
