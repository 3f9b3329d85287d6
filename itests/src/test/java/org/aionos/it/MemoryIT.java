package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.aionos.it.RunningKernel.syscall;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Agents remember, across calls, swaps and crashes, and see nothing of each other. */
@Order(6)
class MemoryIT {

  private static final String OTHER = "agent://tenantA/rememberer-2";

  private static RunningKernel kernel;

  @BeforeAll
  static void start() {
    kernel = RunningKernel.named("memory").bare().start();
    ObjectNode registration = object("{'name':'rememberer','version':'1.0.0','capabilities':[]}");
    registration.put("agent_id", OTHER);
    registration.set(
        "manifest",
        object(
            "{'apiVersion':'aion.os/v1','kind':'Agent','metadata':{'name':'rememberer','version':'1.0.0'},"
                + "'spec':{'entry':'x','capabilities':{},'syscalls':['memory.*'],'memory':{'short_ttl_s':7200}}}"));
    kernel.call(RESEARCHER_V1, "POST", "/v1/agent/register", registration).expect(200);
  }

  @AfterAll
  static void stop() {
    kernel.down();
  }

  private static ObjectNode object(String json) {
    try {
      return (ObjectNode) RunningKernel.JSON.readTree(json.replace('\'', '"'));
    } catch (java.io.IOException malformed) {
      throw new AssertionError(malformed);
    }
  }

  private static Answer call(String agent, String name, String params) {
    ObjectNode body = syscall(name, agent);
    body.set("params", object(params));
    return kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/" + name, body);
  }

  private static Answer post(String path, String json) {
    return kernel.call(RESEARCHER_V1, "POST", path, object(json));
  }

  @Test
  void what_is_put_is_found_by_both_spellings() {
    post(
            "/v1/memory/put",
            "{'agent_id':'"
                + RESEARCHER
                + "','type':'short','key':'plan','value':{'step':2},'meta':{'source':'user'},'tags':['plan']}")
        .expect(200);

    Answer got = call(RESEARCHER, "memory.get", "{'type':'short','key':'plan'}").expect(200);
    assertThat(got.json().at("/result/value/step").asInt()).isEqualTo(2);
    assertThat(got.at("/result/version")).isEqualTo("1");
    Answer found =
        post(
                "/v1/memory/query",
                "{'agent_id':'"
                    + RESEARCHER
                    + "','type':'short','filter':{'tenant':'tenantA','agent':'researcher-1','tags':['plan'],'meta':{'source':{'ne':'web'}}}}")
            .expect(200);
    assertThat(found.json().at("/result/items")).hasSize(1);
    assertThat(found.at("/result/items/0/value/step")).isEqualTo("2");
    assertThat(
            kernel
                .call(RESEARCHER_V2, "GET", "/v1/syscalls/" + found.auditId())
                .at("/asked/syscall"))
        .isEqualTo("memory.query");
  }

  @Test
  void the_time_to_live_is_the_items_or_the_manifests_or_the_kernels() {
    for (String[] each :
        new String[][] {
          {RESEARCHER, "", "3600"}, {OTHER, "", "7200"}, {OTHER, ",'ttl_s':60", "60"}
        }) {
      Answer answer =
          call(
                  each[0],
                  "memory.put",
                  "{'type':'short','key':'ttl" + each[2] + "','value':1" + each[1] + "}")
              .expect(200);
      Duration lives =
          Duration.between(
              java.time.Instant.parse(answer.at("/result/updated_at")),
              java.time.Instant.parse(answer.at("/result/expires_at")));
      assertThat(lives.toSeconds()).isEqualTo(Long.parseLong(each[2]));
    }
    call(OTHER, "memory.put", "{'type':'short','key':'gone','value':1,'ttl_s':1}").expect(200);
    Await.until(
        "it has expired",
        Duration.ofSeconds(10),
        () -> call(OTHER, "memory.get", "{'type':'short','key':'gone'}").status() == 404);
    Await.until(
        "it is counted",
        Duration.ofSeconds(10),
        () ->
            kernel
                .call(Signer.nobody(), "GET", "/metrics")
                .text()
                .contains("aion_memory_gc_events_total{kind=\"expired\"}"));
  }

  @Test
  void an_agent_sees_nothing_of_another_whatever_it_asks_for() {
    call(RESEARCHER, "memory.put", "{'type':'short','key':'mine','value':'SECRET of researcher'}")
        .expect(200);

    call(OTHER, "memory.get", "{'type':'short','key':'mine'}").expect(404, "NOT_FOUND");
    call(
            OTHER,
            "memory.get",
            "{'type':'short','key':'mine','filter':{'agent':'" + RESEARCHER + "'}}")
        .expect(403, "CAPABILITY_DENIED");
    call(OTHER, "memory.delete", "{'type':'short','key':'mine'}").expect(200);
    for (String filter :
        List.of(
            "{'agent':'researcher-1'}",
            "{'agent':'agent://tenantA/researcher-1'}",
            "{'tenant':'acme'}",
            "{'agent':'agent://acme/x'}",
            "{'agent':'../researcher-1'}",
            "{'or':[{},{'agent':'researcher-1'}]}",
            "{'not':{'tenant':'acme'}}",
            "{'meta':{'agent':'researcher-1'}}",
            "{}")) {
      Answer answer = call(OTHER, "memory.query", "{'type':'short','filter':" + filter + "}");
      assertThat(answer.text()).doesNotContain("SECRET");
    }
    Answer page = call(RESEARCHER, "memory.list", "{'type':'short','limit':1}").expect(200);
    if (!page.json().at("/result/next").isNull()) {
      call(OTHER, "memory.query", "{'type':'short','after':'" + page.at("/result/next") + "'}")
          .expect(400, "INVALID_FIELD");
    }
    call(RESEARCHER, "memory.get", "{'type':'short','key':'mine'}").expect(200);
  }

  @Test
  void mistakes_have_their_pointer_and_change_nothing() {
    String[][] mistakes = {
      {"memory.put", "{'key':'k','value':1}", "400 MISSING_FIELD", "/params/type"},
      {"memory.put", "{'type':'broad','key':'k','value':1}", "400 INVALID_FIELD", "/params/type"},
      {
        "memory.put",
        "{'type':'short','key':'k','value':1,'vector':[1,0]}",
        "400 INVALID_FIELD",
        "/params/vector"
      },
      {
        "memory.put",
        "{'type':'long','key':'k','value':1,'vector':[0,0]}",
        "400 INVALID_FIELD",
        "/params/vector"
      },
      {
        "memory.put",
        "{'type':'long','key':'k','value':1,'vector':['a','b']}",
        "400 INVALID_FIELD",
        "/params/vector"
      },
      {"memory.query", "{'type':'long','knn':{'k':1}}", "400 MISSING_FIELD", "/params/knn/text"},
      {
        "memory.query",
        "{'type':'long','knn':{'text':'x','k':1000}}",
        "400 INVALID_FIELD",
        "/params/knn/k"
      },
      {
        "memory.put",
        "{'type':'short','key':'k','value':1,'trust':'full'}",
        "400 INVALID_FIELD",
        "/params/trust"
      },
      {
        "memory.put",
        "{'type':'short','key':'k','value':1,'from':{'items':[{'type':'long','key':'none'}]}}",
        "404 NOT_FOUND",
        "/params/from/items/0/key"
      },
      {"memory.put", "{'type':'short','key':'','value':1}", "400 INVALID_FIELD", "/params/key"},
      {
        "memory.put",
        "{'type':'short','key':'a\\u0000b','value':1}",
        "400 INVALID_FIELD",
        "/params/key"
      },
      {"memory.put", "{'type':'short','key':'k'}", "400 MISSING_FIELD", "/params/value"},
      {
        "memory.put",
        "{'type':'short','key':'k','value':1,'ttl_s':0}",
        "400 INVALID_FIELD",
        "/params/ttl_s"
      },
      {
        "memory.put",
        "{'type':'short','key':'k','value':1,'colour':1}",
        "400 INVALID_FIELD",
        "/params/colour"
      },
      {
        "memory.put",
        "{'type':'short','key':'k','value':1,'if_version':3}",
        "409 CONFLICT",
        "/params/if_version"
      },
      {"memory.put", "{'type':'short','items':[]}", "400 INVALID_FIELD", "/params/items"},
      {
        "memory.put",
        "{'type':'short','items':[{'key':'a','value':1},{'key':'b'}]}",
        "400 MISSING_FIELD",
        "/params/items/1/value"
      },
      {"memory.query", "{'type':'short','limit':0}", "400 INVALID_FIELD", "/params/limit"},
      {
        "memory.query",
        "{'type':'short','filter':{'meta':{'a':{'like':1}}}}",
        "400 INVALID_FIELD",
        "/params/filter/meta/a/like"
      },
      {
        "memory.query",
        "{'type':'short','knn':{'text':'x','k':1}}",
        "400 INVALID_FIELD",
        "/params/knn"
      },
    };
    for (String[] mistake : mistakes) {
      Answer answer = call(OTHER, mistake[0], mistake[1]);
      assertThat(answer.status() + " " + answer.code()).as(mistake[1]).isEqualTo(mistake[2]);
      assertThat(answer.at("/error/pointer")).as(mistake[1]).isEqualTo(mistake[3]);
    }
    call(
            OTHER,
            "memory.put",
            "{'type':'short','key':'large','value':'" + "x".repeat(300_000) + "'}")
        .expect(413, "BODY_TOO_LARGE");
    assertThat(call(OTHER, "memory.list", "{'type':'short','filter':{'not':{'task':'x'}}}").text())
        .doesNotContain("\"key\":\"k\"", "\"key\":\"large\"", "\"key\":\"a\"");
  }

  @Test
  void a_batch_is_written_whole_and_pages_go_through_it() {
    StringBuilder items = new StringBuilder();
    for (int i = 0; i < 100; i++) {
      items
          .append(i == 0 ? "" : ",")
          .append("{'key':'n")
          .append(1_000 + i)
          .append("','task':'batch','value':")
          .append(i)
          .append("}");
    }
    call(OTHER, "memory.put", "{'type':'short','items':[" + items + "]}").expect(200);

    List<Integer> values = new ArrayList<>();
    String after = "";
    do {
      JsonNode page =
          call(
                  OTHER,
                  "memory.query",
                  "{'type':'short','filter':{'task':'batch'},'limit':30" + after + "}")
              .expect(200)
              .json();
      page.at("/result/items").forEach(item -> values.add(item.path("value").asInt()));
      after =
          page.at("/result/next").isNull()
              ? null
              : ",'after':'" + page.at("/result/next").asText() + "'";
    } while (after != null);
    assertThat(values).hasSize(100).isSorted().startsWith(0).endsWith(99);
  }

  @Test
  void a_page_of_large_values_ends_early_and_says_where_to_go_on() {
    for (int i = 0; i < 30; i++) {
      call(
              OTHER,
              "memory.put",
              "{'type':'short','task':'large','key':'l"
                  + (10 + i)
                  + "','value':'"
                  + "x".repeat(250_000)
                  + "'}")
          .expect(200);
    }
    JsonNode first =
        call(OTHER, "memory.query", "{'type':'short','filter':{'task':'large'},'limit':200}")
            .expect(200)
            .json()
            .at("/result");
    JsonNode rest =
        call(
                OTHER,
                "memory.query",
                "{'type':'short','filter':{'task':'large'},'limit':200,'after':'"
                    + first.at("/next").asText()
                    + "'}")
            .expect(200)
            .json()
            .at("/result");
    assertThat(first.at("/items").size()).isEqualTo(20);
    assertThat(rest.at("/items").size()).isEqualTo(10);
    assertThat(rest.at("/items/0/key").asText()).isEqualTo("l30");
  }

  @Test
  void long_memory_is_found_by_words_and_by_vectors_and_why_is_said() {
    call(
            RESEARCHER,
            "memory.put",
            "{'type':'long','key':'cats','value':{'text':'Cats sleep on warm roofs'},'meta':{'year':2026},'vector':[1,0.1,0]}")
        .expect(200);
    call(
            RESEARCHER,
            "memory.put",
            "{'type':'long','key':'books','value':'کتاب‌های تازه در کتابخانه','meta':{'year':2025},'vector':[0,1,0.1]}")
        .expect(200);
    call(
            OTHER,
            "memory.put",
            "{'type':'long','key':'others','value':'SECRET cats of another','vector':[1,0,0]}")
        .expect(200);

    Answer english =
        post(
                "/v1/memory/query",
                "{'agent_id':'"
                    + RESEARCHER
                    + "','type':'long','knn':{'text':'a sleeping cat','k':8},'filter':{'tenant':'tenantA','agent':'researcher-1'}}")
            .expect(200);
    assertThat(english.json().at("/result/items")).hasSize(1);
    assertThat(english.at("/result/items/0/key")).isEqualTo("cats");
    assertThat(english.json().at("/result/items/0/why/lexical").asDouble()).isPositive();
    assertThat(english.json().at("/result/items/0/why/dense").asDouble()).isBetween(0.5, 1.0);
    assertThat(english.json().at("/result/items/0/age_s").asInt()).isNotNegative();
    assertThat(english.at("/result/items/0/written_by")).startsWith("sc-");
    assertThat(
            call(RESEARCHER, "memory.query", "{'type':'long','knn':{'text':'کتاب'}}")
                .at("/result/items/0/key"))
        .isEqualTo("books");
    Answer dense =
        call(RESEARCHER, "memory.query", "{'type':'long','knn':{'vector':[0.9,0.2,0],'k':8}}")
            .expect(200);
    assertThat(dense.json().at("/result/items").findValuesAsText("key"))
        .containsExactly("cats", "books");
    Answer filtered =
        call(
                RESEARCHER,
                "memory.query",
                "{'type':'long','knn':{'vector':[0.9,0.2,0],'text':'cats'},'filter':{'meta':{'year':{'lt':2026}}}}")
            .expect(200);
    assertThat(filtered.json().at("/result/items").findValuesAsText("key"))
        .containsExactly("books");
    assertThat(
            call(RESEARCHER, "memory.query", "{'type':'long','knn':{'text':'SECRET cats'}}").text())
        .doesNotContain("SECRET");
  }

  @Test
  void long_memory_is_found_by_what_it_means_and_packed_with_citations() {
    call(
            OTHER,
            "memory.put",
            "{'type':'long','task':'rag','key':'pet','value':'The kitten is napping on the couch'}")
        .expect(200);
    call(
            OTHER,
            "memory.put",
            "{'type':'long','task':'rag','key':'money','value':'Quarterly revenue rose by ten percent'}")
        .expect(200);
    call(
            OTHER,
            "memory.put",
            "{'type':'long','task':'rag','key':'again','value':'The kitten is napping on the couch'}")
        .expect(200);

    JsonNode found =
        call(
                OTHER,
                "memory.query",
                "{'type':'long','knn':{'text':'where does a cat sleep?','k':2},'filter':{'task':'rag'}}")
            .expect(200)
            .json()
            .at("/result/items");
    assertThat(found.findValuesAsText("key")).containsExactly("pet", "money");
    assertThat(found.at("/0/same_as/0").asText()).isEqualTo("again");
    assertThat(found.at("/0/why/lexical").isNull()).isTrue();
    assertThat(found.at("/0/why/dense").asDouble())
        .isGreaterThan(found.at("/1/why/dense").asDouble());

    JsonNode packed =
        call(
                OTHER,
                "memory.rag",
                "{'type':'long','knn':{'text':'where does a cat sleep?'},'filter':{'task':'rag'},'tokens_max':50}")
            .expect(200)
            .json()
            .at("/result");
    assertThat(packed.at("/context").asText())
        .startsWith("[1] The kitten is napping on the couch\n[2] Quarterly");
    assertThat(packed.at("/citations/0/key").asText()).isEqualTo("pet");
    assertThat(packed.at("/tokens").asInt()).isBetween(10, 50);
  }

  @Test
  void episodes_are_lines_in_files_of_the_day_and_are_all_there_after_a_crash() throws Exception {
    for (int i = 0; i < 20; i++) {
      call(
              RESEARCHER,
              "memory.put",
              "{'type':'episodic','task':'ep','key':'step-" + i + "','value':{'did':" + i + "}}")
          .expect(200);
    }
    call(OTHER, "memory.put", "{'type':'episodic','key':'theirs','value':'SECRET'}").expect(200);
    kernel.kill9();
    kernel.up();

    Answer found =
        call(RESEARCHER, "memory.query", "{'type':'episodic','filter':{'task':'ep'}}").expect(200);
    assertThat(found.json().at("/result/items")).hasSize(20);
    assertThat(found.text()).doesNotContain("SECRET");
    Duration lives =
        Duration.between(
            java.time.Instant.parse(found.at("/result/items/0/updated_at")),
            java.time.Instant.parse(found.at("/result/items/0/expires_at")));
    assertThat(lives).isEqualTo(Duration.ofSeconds(259_200));
    Path memory = kernel.data().resolve("state/memory");
    try (Stream<Path> files = Files.walk(memory.resolve("episodic"))) {
      List<String> names =
          files
              .filter(Files::isRegularFile)
              .map(file -> memory.relativize(file).toString())
              .toList();
      assertThat(names)
          .allMatch(
              name ->
                  name.matches(
                      "episodic/tenantA/(researcher-1|rememberer-2)/\\d{4}-\\d\\d-\\d\\d/[0-9a-f-]{36}\\.jsonl"));
    }
  }

  @Test
  void an_item_without_a_key_is_named_by_its_content_and_a_delete_is_taken_back() {
    String item = "{'type':'short','task':'same','value':{'fact':42}}";
    String key = call(OTHER, "memory.put", item).expect(200).at("/result/key");
    Answer again = call(OTHER, "memory.put", item).expect(200);
    assertThat(key).startsWith("sha256-");
    assertThat(again.at("/result/key")).isEqualTo(key);
    assertThat(again.at("/result/version")).isEqualTo("1");

    String named = "{'type':'short','task':'same','key':'" + key + "'}";
    assertThat(call(OTHER, "memory.delete", named).at("/result/deleted")).isEqualTo("true");
    call(OTHER, "memory.get", named).expect(404, "NOT_FOUND");
    call(OTHER, "memory.restore", named).expect(200);
    assertThat(call(OTHER, "memory.get", named).expect(200).json().at("/result/value/fact").asInt())
        .isEqualTo(42);
    call(OTHER, "memory.restore", named).expect(404, "NOT_FOUND");
  }

  @Test
  void trust_falls_with_what_a_task_reads_and_is_never_raised() {
    String low =
        call(OTHER, "memory.put", "{'type':'short','task':'t','key':'web','value':1,'trust':'low'}")
            .expect(200)
            .at("/result/trust");
    assertThat(low).isEqualTo("low");
    assertThat(
            call(OTHER, "memory.put", "{'type':'short','task':'t','key':'web','value':2}")
                .at("/result/trust"))
        .isEqualTo("low");
    assertThat(
            call(
                    OTHER,
                    "memory.put",
                    "{'type':'short','key':'made','value':1,'from':{'items':[{'type':'short','task':'t','key':'web'}]}}")
                .at("/result/trust"))
        .isEqualTo("low");

    assertThat(putInTask("reader", "before").at("/result/trust")).isEqualTo("high");
    ObjectNode read = syscall("memory.get", OTHER);
    read.set("params", object("{'type':'short','task':'t','key':'web'}"));
    read.set("context", object("{'task_id':'reader'}"));
    kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/memory.get", read).expect(200);
    assertThat(putInTask("reader", "after").at("/result/trust")).isEqualTo("low");
    assertThat(putInTask("another", "after").at("/result/trust")).isEqualTo("high");
  }

  private static Answer putInTask(String task, String key) {
    ObjectNode put = syscall("memory.put", OTHER);
    put.set("params", object("{'type':'short','key':'" + key + "','value':1}"));
    put.set("context", object("{'task_id':'" + task + "'}"));
    return kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/memory.put", put).expect(200);
  }

  @Test
  void operators_look_into_memory_hide_items_and_move_them_between_files() {
    call(OTHER, "memory.put", "{'type':'short','task':'ops','key':'a','value':'poison'}")
        .expect(200);
    String item = "{'type':'short','task':'ops','key':'a'}";

    assertThat(kernel.shell("aion:memory-top --no-format"))
        .containsPattern("short\\s+embedded\\s+-")
        .containsPattern("tenantA\\s+short\\s+[1-9]");
    assertThat(kernel.shell("aion:memory-quarantine --task ops short " + OTHER + " a"))
        .contains("a: in quarantine");
    call(OTHER, "memory.get", item).expect(404, "NOT_FOUND");
    call(OTHER, "memory.put", item.replace("}", ",'value':1}")).expect(409, "CONFLICT");
    assertThat(
            kernel.shell(
                "aion:memory-query --no-format --filter '{\"task\":\"ops\"}' short " + OTHER))
        .containsPattern("ops\\s+a\\s+1\\s+\\w+\\s+quarantined.*poison");
    assertThat(kernel.shell("aion:memory-gc --dry-run --no-format"))
        .containsPattern("tenantA\\s+short\\s+[0-9]+\\s+0\\s+0");
    assertThat(kernel.shell("aion:memory-quarantine --release --task ops short " + OTHER + " a"))
        .contains("released");
    call(OTHER, "memory.get", item).expect(200);

    assertThat(kernel.shell("aion:memory-export short tenantA all.jsonl")).contains("items: ");
    assertThat(kernel.shell("aion:memory-import short all.jsonl")).contains("0 items written");
    assertThat(kernel.shell("aion:memory-export short tenantA ../../x"))
        .contains("without a folder");
  }

  @Test
  void what_was_acknowledged_is_there_after_the_kernel_was_killed() throws Exception {
    AtomicInteger acknowledged = new AtomicInteger();
    Thread writer =
        new Thread(
            () -> {
              try {
                for (int i = 0; ; i++) {
                  call(
                          OTHER,
                          "memory.put",
                          "{'type':'"
                              + List.of("short", "long", "episodic").get(i % 3)
                              + "','task':'crash','key':'c"
                              + i
                              + "','value':'item number"
                              + i
                              + "'}")
                      .expect(200);
                  acknowledged.set(i + 1);
                }
              } catch (RuntimeException | AssertionError killed) {
                // The kernel has gone.
              }
            });
    writer.start();
    Await.until("some are written", Duration.ofSeconds(30), () -> acknowledged.get() > 200);
    ProcessHandle.of(kernel.pid()).orElseThrow().destroyForcibly();
    writer.join();
    kernel.up();

    for (int i = 0; i < acknowledged.get(); i++) {
      assertThat(
              call(
                      OTHER,
                      "memory.get",
                      "{'type':'"
                          + List.of("short", "long", "episodic").get(i % 3)
                          + "','task':'crash','key':'c"
                          + i
                          + "'}")
                  .expect(200)
                  .at("/result/value"))
          .isEqualTo("item number" + i);
      if (i % 3 == 1) {
        assertThat(
                call(
                        OTHER,
                        "memory.query",
                        "{'type':'long','knn':{'text':'number" + i + "','k':1}}")
                    .at("/result/items/0/key"))
            .isEqualTo("c" + i);
      }
    }
  }
}
