package org.aionos.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever an agent asks, it sees nothing of another tenant's, nor of an agent's without a grant.
 */
final class IsolationTest {

  private static final int ATTEMPTS = 12_000;
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

  private static final AgentId ATTACKER = new AgentId("acme", "ann");

  /** Of its tenant and of others; some have names that begin or end like its own. */
  private static final List<AgentId> VICTIMS =
      List.of(
          new AgentId("acme", "bob"),
          new AgentId("acme", "ann-2"),
          new AgentId("acme", "an"),
          new AgentId("acme2", "ann"),
          new AgentId("acm", "eann"),
          new AgentId("other", "ann"),
          new AgentId("other", "bob"));

  @TempDir Path folder;
  private Memory memory;
  private MemoryCalls calls;

  @BeforeEach
  void fill() throws Exception {
    memory =
        new Memory(
            folder,
            folder.resolve("state"),
            "isolation",
            Map.of(),
            new Facts(),
            new NoMeters(),
            () -> NOW);
    calls = new MemoryCalls(memory, () -> NOW);
    for (AgentId victim : VICTIMS) {
      for (String type : List.of("short", "long")) {
        for (String key : List.of("k", "plan", "ann", "a")) {
          for (String task : List.of("", "t", "k")) {
            run(victim, Set.of(), "memory.put", secret(type, task, key));
          }
        }
      }
    }
    run(ATTACKER, Set.of(), "memory.put", Map.of("type", "long", "key", "k", "value", "mine"));
    run(ATTACKER, Set.of(), "memory.put", Map.of("type", "short", "key", "k", "value", "mine"));
  }

  private static Map<String, Object> secret(String type, String task, String key) {
    Map<String, Object> put = new LinkedHashMap<>();
    put.put("type", type);
    put.put("task", task);
    put.put("key", key);
    put.put("value", "the SECRET plan");
    put.put("meta", Map.of("m", 1, "owner", "ann"));
    put.put("tags", List.of("tag"));
    if (type.equals("long")) {
      put.put("vector", List.of(1, 0.5));
    }
    return put;
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private Map<String, Object> run(
      AgentId agent, Set<String> grants, String name, Map<String, Object> params) {
    Syscall syscall =
        new Syscall(
            name,
            agent,
            Caller.agentKey("ak_1", agent),
            Syscall.Context.NONE,
            Set.of(),
            params,
            Syscall.Budget.NONE,
            "0".repeat(64));
    AgentProcess process =
        new AgentProcess(
            agent,
            "agent",
            "1.0.0",
            AgentProcess.State.ALIVE,
            1,
            new Declared(Set.of(), Set.of("*")),
            Map.of(),
            Map.of(),
            AgentProcess.Vitals.UNKNOWN,
            NOW,
            NOW,
            null);
    return calls
        .run(
            new Admitted(
                new Asked("sc-1", 1, syscall),
                new Decision.Allow("rule", "v1", grants, Map.of()),
                process,
                NOW.plusSeconds(30)))
        .result();
  }

  @Test
  void no_generated_attempt_returns_what_is_anothers() {
    Random random = new Random(20_261_124);
    int answered = 0;
    for (int i = 0; i < ATTEMPTS; i++) {
      String name =
          pick(
              random,
              "memory.get",
              "memory.query",
              "memory.list",
              "memory.rag",
              "memory.pin",
              "memory.restore",
              "memory.put",
              "memory.delete");
      Map<String, Object> params = params(random, name);
      try {
        Map<String, Object> result = run(ATTACKER, Set.of(), name, params);
        answered++;
        assertThat(String.valueOf(result))
            .as(name + " " + params)
            .doesNotContain("SECRET")
            .doesNotContainPattern("agent=agent://(?!acme/ann,)");
      } catch (Refused refused) {
        assertThat(refused.problem().message()).as(name + " " + params).doesNotContain("SECRET");
      }
    }
    assertThat(answered).as("attempts that were not refused").isGreaterThan(ATTEMPTS / 10);
    for (AgentId victim : VICTIMS) {
      assertThat(
              String.valueOf(
                  run(victim, Set.of(), "memory.get", Map.of("type", "short", "key", "plan"))))
          .as("untouched")
          .contains("SECRET", "version=1", "pinned=false");
    }
  }

  /** With the grant it may read its tenant's, and still no other tenant's, and change none. */
  @Test
  void a_grant_opens_the_tenant_for_reading_and_nothing_else() {
    Random random = new Random(7);
    Set<String> grants = Set.of(Requests.TENANT_MEMORY);
    assertThat(
            String.valueOf(
                run(
                    ATTACKER,
                    grants,
                    "memory.get",
                    Map.of("type", "short", "key", "k", "filter", Map.of("agent", "bob")))))
        .contains("SECRET");
    for (int i = 0; i < 2_000; i++) {
      String name = pick(random, "memory.get", "memory.query", "memory.rag", "memory.delete");
      Map<String, Object> params = params(random, name);
      try {
        assertThat(String.valueOf(run(ATTACKER, grants, name, params)))
            .as(name + " " + params)
            .doesNotContain("agent://acme2", "agent://acm/", "agent://other");
      } catch (Refused refused) {
        // As it should.
      }
    }
    assertThat(
            run(
                ATTACKER,
                grants,
                "memory.query",
                Map.of("type", "short", "filter", Map.of("agent", "bob"))))
        .extracting("items")
        .asString()
        .contains("key=plan");
  }

  // --- what an attacker tries -----------------------------------------------------------------

  private static Map<String, Object> params(Random random, String name) {
    Map<String, Object> params = new LinkedHashMap<>();
    params.put("type", pick(random, "short", "long", "short", "long", "Long", "short\u0000", "*"));
    boolean found = Set.of("memory.query", "memory.rag").contains(name) && random.nextBoolean();
    if (found || name.equals("memory.rag")) {
      params.put("knn", knn(random));
    } else if (name.equals("memory.query") || name.equals("memory.list")) {
      if (random.nextInt(3) == 0) {
        params.put("after", after(random));
      }
    } else {
      params.put("key", text(random));
      if (random.nextBoolean()) {
        params.put("task", text(random));
      }
      if (name.equals("memory.put")) {
        params.put("value", "x");
        params.put("from", Map.of("items", List.of(Map.of("type", "short", "key", text(random)))));
      }
    }
    if (Set.of("memory.get", "memory.query", "memory.list", "memory.rag").contains(name)
        && random.nextInt(4) > 0) {
      params.put("filter", filter(random, 3));
    }
    return params;
  }

  private static Map<String, Object> knn(Random random) {
    Map<String, Object> knn = new LinkedHashMap<>();
    if (random.nextBoolean()) {
      knn.put(
          "text", pick(random, "SECRET plan", "*:*", "owner:acme OR *", "[* TO *]", text(random)));
    }
    if (random.nextBoolean()) {
      knn.put("vector", List.of(1, random.nextDouble()));
    }
    knn.put("k", 1 + random.nextInt(100));
    return knn;
  }

  private static String after(Random random) {
    AgentId victim = VICTIMS.get(random.nextInt(VICTIMS.size()));
    byte[] key =
        pick(
                random,
                victim.tenant() + "\0" + victim.name() + "\0",
                "acme\0ann\0" + "\uffff",
                "acme\0",
                "acme\0ann\0\0../bob",
                "")
            .getBytes(java.nio.charset.StandardCharsets.UTF_8);
    return random.nextBoolean()
        ? Base64.getUrlEncoder().withoutPadding().encodeToString(key)
        : text(random);
  }

  private static Object filter(Random random, int depth) {
    Map<String, Object> filter = new LinkedHashMap<>();
    int parts = 1 + random.nextInt(3);
    for (int i = 0; i < parts; i++) {
      switch (random.nextInt(depth > 0 ? 10 : 6)) {
        case 0 -> filter.put("tenant", owner(random));
        case 1, 2 -> filter.put("agent", owner(random));
        case 3 -> filter.put("task", text(random));
        case 4 ->
            filter.put(
                "meta",
                Map.of(
                    pick(random, "owner", "m", "tenant", "id"),
                    random.nextBoolean() ? text(random) : Map.of("ne", text(random))));
        case 5 -> filter.put("tags", List.of(pick(random, "tag", "*", text(random))));
        case 6 -> filter.put("or", list(random, depth));
        case 7 -> filter.put("and", list(random, depth));
        default -> filter.put("not", filter(random, depth - 1));
      }
    }
    return filter;
  }

  private static List<Object> list(Random random, int depth) {
    List<Object> list = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      list.add(filter(random, depth - 1));
    }
    return list;
  }

  private static Object owner(Random random) {
    AgentId victim = VICTIMS.get(random.nextInt(VICTIMS.size()));
    return switch (random.nextInt(10)) {
      case 0 -> victim.tenant();
      case 1 -> victim.name();
      case 2 -> victim.toString();
      case 3 -> "*";
      case 4 -> List.of(victim.tenant());
      case 5 -> Map.of("ne", "acme");
      case 6 -> "acme\0" + victim.name();
      case 7 -> "agent://acme/../" + victim.tenant() + "/" + victim.name();
      case 8 -> "acme/" + victim.name();
      default -> text(random);
    };
  }

  private static String text(Random random) {
    AgentId victim = VICTIMS.get(random.nextInt(VICTIMS.size()));
    return pick(
        random,
        "k",
        "plan",
        "a",
        "t",
        "",
        "..",
        "../" + victim.name() + "/k",
        "\0" + victim.name() + "\0k",
        victim.tenant() + "\0" + victim.name() + "\0\0k",
        "mem:" + victim.tenant() + ":" + victim.name() + "::k",
        "%00" + victim.name(),
        "' OR '1'='1",
        "\" OR *:*",
        "{\"tenant\":\"" + victim.tenant() + "\"}",
        "k\ud800",
        "ﾊ\u202ek",
        "x".repeat(random.nextInt(600)));
  }

  private static String pick(Random random, String... of) {
    return of[random.nextInt(of.length)];
  }
}
