package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Trust;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FilterReaderTest {

  private static final Instant CREATED = Instant.parse("2030-01-01T00:00:00Z");

  private static final Item ITEM =
      new Item(
          new Place(new AgentId("acme", "ann"), "t-1", "k"),
          new Item.Content(
              "v",
              Map.of("score", 7, "source", "web", "exact", 1.50),
              List.of("red", "round"),
              null),
          1,
          false,
          CREATED,
          CREATED.plusSeconds(60),
          null,
          new Provenance("sc-1", null, List.of(), Trust.MEDIUM),
          null,
          null);

  private static Filter read(String json) throws InvalidDocument {
    return new FilterReader().read(Documents.json(json.getBytes(UTF_8)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | true",
        "{\"task\":\"t-1\"} | true",
        "{\"task\":\"t-2\"} | false",
        "{\"tags\":[\"red\"]} | true",
        "{\"tags\":[\"red\",\"round\"]} | true",
        "{\"tags\":[\"red\",\"square\"]} | false",
        "{\"meta\":{\"source\":\"web\"}} | true",
        "{\"meta\":{\"source\":\"mail\"}} | false",
        "{\"meta\":{\"score\":7.0}} | true",
        "{\"meta\":{\"exact\":{\"eq\":1.5}}} | true",
        "{\"meta\":{\"score\":{\"gt\":6,\"lte\":7}}} | true",
        "{\"meta\":{\"score\":{\"gt\":7}}} | false",
        "{\"meta\":{\"score\":{\"gte\":7,\"lt\":8}}} | true",
        "{\"meta\":{\"score\":{\"gt\":\"6\"}}} | false",
        "{\"meta\":{\"source\":{\"ne\":\"mail\"}}} | true",
        "{\"meta\":{\"none\":{\"ne\":1}}} | true",
        "{\"meta\":{\"source\":{\"in\":[\"mail\",\"web\"]}}} | true",
        "{\"meta\":{\"source\":{\"in\":[]}}} | false",
        "{\"meta\":{\"source\":{\"gt\":\"v\"}}} | true",
        "{\"trust\":\"low\"} | true",
        "{\"trust\":\"medium\"} | true",
        "{\"trust\":\"high\"} | false",
        "{\"created\":{\"from\":\"2030-01-01T00:00:00Z\"}} | true",
        "{\"created\":{\"until\":\"2030-01-01T00:00:00Z\"}} | false",
        "{\"updated\":{\"from\":\"2030-01-01T00:00:30Z\",\"until\":\"2030-01-01T00:02:00Z\"}} | true",
        "{\"and\":[{\"task\":\"t-1\"},{\"tags\":[\"red\"]}]} | true",
        "{\"and\":[{\"task\":\"t-1\"},{\"tags\":[\"blue\"]}]} | false",
        "{\"or\":[{\"task\":\"t-2\"},{\"tags\":[\"red\"]}]} | true",
        "{\"or\":[]} | false",
        "{\"not\":{\"task\":\"t-1\"}} | false",
        "{\"not\":{\"or\":[{\"task\":\"t-2\"},{\"tags\":[\"blue\"]}]},\"task\":\"t-1\"} | true",
        "{\"tenant\":\"other\",\"agent\":\"other\"} | true",
      })
  void admits_what_it_says(String json, boolean admitted) throws Exception {
    assertThat(read(json).admits(ITEM)).isEqualTo(admitted);
  }

  @Test
  void what_is_no_filter_is_refused_where_it_is_wrong() {
    Map.of(
            "{\"colour\":\"red\"}", "/colour",
            "{\"meta\":{\"a\":{\"like\":1}}}", "/meta/a/like",
            "{\"meta\":{\"a\":{\"in\":1}}}", "/meta/a/in",
            "{\"created\":{\"from\":\"yesterday\"}}", "/created/from",
            "{\"and\":{}}", "/and",
            "{\"not\":[]}", "/not")
        .forEach(
            (json, pointer) ->
                assertThatThrownBy(() -> read(json))
                    .as(json)
                    .isInstanceOfSatisfying(
                        InvalidDocument.class,
                        invalid -> assertThat(invalid.pointer()).isEqualTo(pointer)));
    String deep = "{\"not\":".repeat(9) + "{\"task\":\"t\"}" + "}".repeat(9);
    String wide = "{\"and\":[" + "{\"task\":\"t\"},".repeat(70) + "{}]}";
    for (String json : List.of(deep, wide)) {
      assertThatThrownBy(() -> read(json)).isInstanceOf(InvalidDocument.class);
    }
  }
}
