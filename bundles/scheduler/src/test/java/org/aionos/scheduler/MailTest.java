package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.TaskStore.Message;
import org.aionos.tasks.MapTasks;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MailTest {

  private static final AgentId A = new AgentId("acme", "a");
  private static final AgentId B = new AgentId("acme", "b");

  @TempDir Path folder;
  private final MapTasks store = new MapTasks();
  private SettingsFile settings;
  private Mail mail;

  @BeforeEach
  void begin() throws IOException {
    Files.writeString(
        folder.resolve("scheduler.yaml"), "limits: {mail_max: 3, mail_bytes_max: 64}");
    settings = new SettingsFile(folder);
    mail = new Mail(store, settings);
  }

  @AfterEach
  void end() {
    settings.close();
  }

  private static byte[] message(String text) {
    return text.getBytes(UTF_8);
  }

  private List<String> texts(AgentId of, int max) throws InterruptedException {
    return mail.receive(of, max, Duration.ZERO).stream()
        .map(each -> new String(each.bytes(), UTF_8))
        .toList();
  }

  @Test
  void messages_come_in_their_order_and_until_they_are_acknowledged() throws Exception {
    mail.send(A, message("1"));
    long second = mail.send(A, message("2"));
    mail.send(A, message("3"));
    mail.send(B, message("other"));

    assertThat(texts(A, 2)).containsExactly("1", "2");
    assertThat(texts(A, 10)).containsExactly("1", "2", "3");
    mail.discard(A, second);
    assertThat(texts(A, 10)).containsExactly("3");
    assertThat(texts(B, 10)).containsExactly("other");
  }

  @Test
  void a_box_that_is_full_takes_nothing_until_its_agent_has_read() {
    for (int i = 0; i < 3; i++) {
      mail.send(A, message("x"));
    }
    assertThatThrownBy(() -> mail.send(A, message("x"))).hasMessageContaining("QUEUE_FULL");
    mail.discard(A, Long.MAX_VALUE);
    assertThat(mail.send(A, message("x"))).isPositive();
  }

  @Test
  void a_message_that_is_too_long_is_refused() {
    assertThatThrownBy(() -> mail.send(A, message("x".repeat(65))))
        .hasMessageContaining("INVALID_FIELD");
  }

  @Test
  void who_waits_is_woken_by_a_message_or_by_the_end() throws Exception {
    CompletableFuture<List<Message>> first = waiting();
    CompletableFuture<List<Message>> second = waiting();
    assertThat(first).isNotDone();
    mail.send(A, message("here"));
    assertThat(first.get(10, TimeUnit.SECONDS)).hasSize(1);
    assertThat(second.get(10, TimeUnit.SECONDS)).hasSize(1);
    mail.discard(A, Long.MAX_VALUE);

    CompletableFuture<List<Message>> third = waiting();
    mail.close();
    assertThat(third.get(10, TimeUnit.SECONDS)).isEmpty();
  }

  @Test
  void a_wait_ends_with_its_time() throws Exception {
    assertThat(mail.receive(A, 1, Duration.ofMillis(5))).isEmpty();
  }

  @Test
  void only_so_many_wait_and_the_others_are_told() throws Exception {
    List<CompletableFuture<List<Message>>> waiting =
        Stream.generate(this::waiting).limit(33).toList();
    Poll.until(
        "one is refused",
        () -> waiting.stream().anyMatch(CompletableFuture::isCompletedExceptionally));
    mail.send(A, message("here"));
    int told = 0;
    for (CompletableFuture<List<Message>> each : waiting) {
      told += each.handle((messages, busy) -> busy == null ? 1 : 0).get(10, TimeUnit.SECONDS);
    }

    assertThat(told).isEqualTo(32);
    assertThat(mail.receive(B, 1, Duration.ofMillis(1))).isEmpty();
  }

  private CompletableFuture<List<Message>> waiting() {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return mail.receive(A, 10, Duration.ofSeconds(30));
          } catch (InterruptedException stopped) {
            throw new AssertionError(stopped);
          }
        },
        task -> new Thread(task).start());
  }
}
