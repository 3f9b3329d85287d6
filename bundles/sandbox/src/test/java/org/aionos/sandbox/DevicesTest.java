package org.aionos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DevicesTest {

  private static final Path EVERYBODYS = Path.of("/dev/null");
  private static final Path ABSENT = Path.of("/dev/nvidia77");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/dev/nvidia0",
        "/dev/nvidiactl",
        "/dev/nvidia-uvm-tools",
        "/dev/nvidia-caps/nvidia-cap2",
        "/dev/dri/renderD128",
        "/dev/kfd"
      })
  void gpus_can_be_named(String device) {
    assertThat(device).matches(Devices.GPUS);
  }

  /** A card of /dev/dri can set the screen's mode, and so is none of a tool's business. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/dev/dri/card0",
        "/dev/mem",
        "/dev/sda",
        "/dev/kvm",
        "/dev/nvidia",
        "/dev/nvidia0\n",
        "/dev/nvidia/../mem",
        "/dev/nvidia-caps/../mem",
        "/dev/dri/renderD",
        "nvidia0",
        "/dev/kfd/x"
      })
  void nothing_else_can(String device) {
    assertThat(device).doesNotMatch(Devices.GPUS);
  }

  @Test
  void what_everybody_may_open_needs_no_group() throws Exception {
    Devices devices = new Devices(List.of(EVERYBODYS), false);

    for (boolean root : new boolean[] {true, false}) {
      assertThat(devices.granted(root))
          .isEqualTo(new Devices.Granted(List.of(EVERYBODYS), Set.of()));
    }
  }

  @Test
  void one_that_is_not_there_is_refused_unless_it_is_optional() throws Exception {
    assertThatThrownBy(() -> new Devices(List.of(EVERYBODYS, ABSENT), false).granted(true))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no device /dev/nvidia77")
        .hasMessageContaining("optional: true");
    assertThat(new Devices(List.of(EVERYBODYS, ABSENT), true).granted(true).paths())
        .containsExactly(EVERYBODYS);
  }

  /** A link could lead anywhere, and a disk holds the files of others. */
  @Test
  void only_a_character_device_is_one() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), EVERYBODYS);

    for (Path each : List.of(file, link)) {
      assertThatThrownBy(() -> new Devices(List.of(each), false).granted(true))
          .hasMessageContaining("is no character device");
    }
  }

  @Test
  void a_tool_is_refused_with_the_device_that_its_profile_wants_and_the_host_lacks()
      throws Exception {
    Path config = Path.of("../../config/sandbox");
    Path profiles = Files.createDirectory(folder.resolve("profiles"));
    Files.copy(config.resolve("seccomp_profile.json"), profiles.resolve("seccomp_profile.json"));
    Files.writeString(
        profiles.resolve("cgroup_profiles.yaml"),
        Files.readString(config.resolve("cgroup_profiles.yaml"))
            + "  gpu: { inherits: default, gpu: { devices: ["
            + ABSENT
            + "] } }\n");
    TierOnHost tier =
        new TierOnHost(Configs.usual(), folder.resolve("state"), profiles, Devices.GPUS);
    try {
      assertThatThrownBy(() -> tier.open(Jar.attacker(Map.of("cgroup", "gpu")).needing("gpu")))
          .isInstanceOfSatisfying(
              Refused.class,
              refused -> assertThat(refused.problem().code()).isEqualTo(Code.TIER_UNAVAILABLE))
          .hasMessageContaining("this host has no device " + ABSENT);
    } finally {
      tier.close();
    }
  }
}
