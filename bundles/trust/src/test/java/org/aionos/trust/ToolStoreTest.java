package org.aionos.trust;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import net.jqwik.api.Example;
import org.aionos.kernel.ToolInstaller.Signer;

/** What a restart builds on. */
final class ToolStoreTest {

  private static final ToolJar HELLO = Jars.tool("hello", "1.0.0");
  private static final byte[] SIGNATURE = {1, 2, 3};
  private static final Instant WHEN = Instant.parse("2026-06-15T12:00:00.123Z");

  private final Path folder;

  ToolStoreTest() throws IOException {
    folder = Files.createTempDirectory("store");
  }

  private static ToolStore.Entry signed(ToolJar jar) {
    return new ToolStore.Entry(
        jar.manifest().version(), jar.digest(), "hello.jar", new Signer("acme", "key-1"), WHEN);
  }

  @Example
  void remembers_bytes_signature_and_verdict_over_a_restart() throws Exception {
    new ToolStore(folder).put(HELLO, SIGNATURE, signed(HELLO));

    ToolStore store = new ToolStore(folder);

    assertThat(store.tools()).containsOnlyKeys("hello").containsValue(signed(HELLO));
    assertThat(store.bytes(HELLO.digest())).isEqualTo(HELLO.bytes());
    assertThat(store.signature(HELLO.digest())).isEqualTo(SIGNATURE);
  }

  @Example
  void keeps_nothing_of_what_was_replaced_and_no_signature_that_did_not_count() throws Exception {
    ToolStore store = new ToolStore(folder);
    store.put(HELLO, SIGNATURE, signed(HELLO));
    ToolJar next = Jars.tool("hello", "1.1.0");
    store.put(next, SIGNATURE, signed(next));

    assertThat(Files.exists(folder.resolve(HELLO.digest() + ".jar"))).isFalse();
    assertThat(store.signature(HELLO.digest())).isNull();
    assertThat(store.signature(next.digest())).isEqualTo(SIGNATURE);
    store.put(next, null, new ToolStore.Entry("1.1.0", next.digest(), null, null, WHEN));
    assertThat(store.signature(next.digest())).isNull();
  }

  @Example
  void keeps_what_runs_beside_a_tool_over_a_restart_until_it_is_promoted_or_removed()
      throws Exception {
    ToolJar next = Jars.tool("hello", "1.1.0");
    ToolStore before = new ToolStore(folder);
    before.put(HELLO, null, signed(HELLO));
    before.putBeside(next, SIGNATURE, new ToolStore.Share(signed(next), 10));
    before.weigh("hello", new ToolStore.Share(signed(next), 20));

    ToolStore store = new ToolStore(folder);

    assertThat(store.tools()).containsValue(signed(HELLO));
    assertThat(store.canaries()).isEqualTo(Map.of("hello", new ToolStore.Share(signed(next), 20)));
    assertThat(store.bytes(next.digest())).isEqualTo(next.bytes());
    assertThat(store.signature(next.digest())).isEqualTo(SIGNATURE);

    store.promote("hello", signed(next));
    assertThat(new ToolStore(folder).tools()).containsValue(signed(next));
    assertThat(new ToolStore(folder).canaries()).isEmpty();
    assertThat(Files.exists(folder.resolve(HELLO.digest() + ".jar"))).isFalse();

    store.putBeside(HELLO, null, new ToolStore.Share(signed(HELLO), 1));
    store.removeCanary("hello");
    assertThat(Files.exists(folder.resolve(HELLO.digest() + ".jar"))).isFalse();
  }

  @Example
  void mends_bytes_that_were_spoilt_when_the_jar_comes_in_again() throws Exception {
    ToolStore store = new ToolStore(folder);
    store.put(HELLO, SIGNATURE, signed(HELLO));
    Files.write(folder.resolve(HELLO.digest() + ".jar"), new byte[9]);

    store.put(HELLO, SIGNATURE, signed(HELLO));

    assertThat(store.bytes(HELLO.digest())).isEqualTo(HELLO.bytes());
  }

  @Example
  void reads_a_table_from_before_there_were_signatures() throws Exception {
    Files.writeString(
        folder.resolve("installed.json"),
        "{\"tools\":{\"hello\":{\"version\":\"1.0.0\",\"digest\":\"abc\"}},\"files\":{}}");

    ToolStore.Entry entry = new ToolStore(folder).tools().get("hello");

    assertThat(entry).isEqualTo(new ToolStore.Entry("1.0.0", "abc", null, null, Instant.EPOCH));
  }

  @Example
  void starts_with_none_where_the_table_is_damaged() throws Exception {
    new ToolStore(folder).put(HELLO, SIGNATURE, signed(HELLO));
    Path table = folder.resolve("installed.json");
    for (String damage : new String[] {"{", "[]"}) {
      Files.writeString(table, damage);
      assertThat(new ToolStore(folder).tools()).isEmpty();
    }
    Files.writeString(
        table,
        "{\"tools\":{\"hello\":{\"version\":\"1\",\"digest\":\"a\",\"admitted\":\"noon\"}}}");
    assertThat(new ToolStore(folder).tools()).isEmpty();
  }
}
