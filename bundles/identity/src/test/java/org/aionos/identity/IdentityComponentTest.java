package org.aionos.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Identity.AgentKey;
import org.aionos.kernel.Identity.Secret;
import org.aionos.kernel.Identity.Tenant;
import org.aionos.kernel.Journal.Event;
import org.aionos.kernel.Role;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class IdentityComponentTest {

  private static final AgentId AGENT = new AgentId("acme", "researcher-1");

  private final Kernel kernel = Kernel.start();

  @AfterEach
  void stop() {
    kernel.close();
  }

  @Test
  void secrets_are_long_named_by_their_kind_and_never_the_same() {
    Secret tenant = kernel.tenant("acme");
    Secret key = addKey(null);

    assertThat(tenant.value()).matches("ats_[A-Za-z0-9_-]{43}");
    assertThat(key.id()).matches("ak_[A-Za-z0-9_-]{16}");
    assertThat(key.value()).matches("aks_[A-Za-z0-9_-]{43}");
    assertThat(kernel.bootstrapToken()).matches("aion_bt_[A-Za-z0-9_-]{43}");
    assertThat(addKey(null).value()).isNotEqualTo(key.value());
  }

  @Test
  void tenants_and_keys_are_listed_without_secrets() {
    kernel.tenant("acme");
    Secret key = addKey(Duration.ofHours(1));
    kernel.identity.revokeKey("acme", key.id(), Kernel.OPERATOR);

    assertThat(kernel.identity.tenants())
        .containsExactly(
            new Tenant("acme", false, FakeClock.START),
            new Tenant("tenantA", true, FakeClock.START));
    assertThat(kernel.identity.keys("acme"))
        .containsExactly(
            new AgentKey(
                key.id(),
                AGENT,
                FakeClock.START,
                FakeClock.START.plusSeconds(3_600),
                FakeClock.START));
    assertThat(kernel.identity.keys("nobody")).isEmpty();
  }

  @Test
  void what_cannot_be_done_says_so_and_is_not_journalled() {
    kernel.tenant("acme");
    Caller by = Kernel.OPERATOR;

    assertThat(code(() -> kernel.tenant("acme"))).isEqualTo(Code.CONFLICT);
    assertThat(code(() -> kernel.tenant("tenantA"))).isEqualTo(Code.CONFLICT);
    assertThat(code(() -> kernel.tenant("no/name"))).isEqualTo(Code.INVALID_FIELD);
    assertThat(code(() -> kernel.identity.addKey(new AgentId("nobody", "a"), null, by)))
        .isEqualTo(Code.NOT_FOUND);
    assertThat(code(() -> kernel.identity.revokeKey("nobody", "ak_1", by)))
        .isEqualTo(Code.NOT_FOUND);
    assertThat(code(() -> kernel.identity.revokeKey("acme", "ak_1", by))).isEqualTo(Code.NOT_FOUND);
    for (Duration lifetime :
        List.of(Duration.ZERO, Duration.ofSeconds(-1), Duration.ofSeconds(Long.MAX_VALUE))) {
      assertThat(code(() -> addKey(lifetime))).isEqualTo(Code.INVALID_FIELD);
    }
    assertThat(kernel.journal.kinds()).containsExactly("tenant.added");
  }

  @Test
  void every_change_is_journalled_once_with_who_made_it() {
    kernel.tenant("acme");
    Secret key = addKey(null);
    for (int i = 0; i < 2; i++) {
      kernel.identity.revokeKey("acme", key.id(), Kernel.OPERATOR);
      kernel.identity.revokeBootstrapToken(Kernel.OPERATOR);
    }

    assertThat(kernel.journal.kinds())
        .containsExactly("tenant.added", "key.added", "key.revoked", "token.revoked");
    assertThat(kernel.journal.events)
        .allSatisfy(
            event -> {
              assertThat(event.topic()).isEqualTo("kernel.identity");
              assertThat(event.facts()).containsEntry("by", "operator-1");
            });
    assertThat(kernel.journal.events)
        .extracting(Event::tenant)
        .containsExactly("acme", "acme", "acme", null);
  }

  @Test
  void without_the_journal_nothing_changes() {
    kernel.tenant("acme");
    Secret key = addKey(null);
    kernel.journal.away = true;

    assertThat(code(() -> kernel.tenant("other"))).isEqualTo(Code.JOURNAL_UNAVAILABLE);
    assertThat(code(() -> addKey(null))).isEqualTo(Code.JOURNAL_UNAVAILABLE);
    assertThat(code(() -> kernel.identity.revokeKey("acme", key.id(), Kernel.OPERATOR)))
        .isEqualTo(Code.JOURNAL_UNAVAILABLE);
    assertThat(code(() -> kernel.identity.revokeBootstrapToken(Kernel.OPERATOR)))
        .isEqualTo(Code.JOURNAL_UNAVAILABLE);

    assertThat(kernel.identity.tenants()).hasSize(2);
    assertThat(kernel.identity.keys("acme")).hasSize(1);
    kernel.admits(signed("acme", key));
    kernel.admits(Request.bearer(kernel.bootstrapToken()));
  }

  @Test
  void everything_is_there_after_a_swap() {
    Secret tenant = kernel.tenant("acme");
    Secret good = addKey(Duration.ofDays(1));
    Secret revoked = addKey(null);
    kernel.identity.revokeKey("acme", revoked.id(), Kernel.OPERATOR);
    List<Tenant> tenants = kernel.identity.tenants();
    List<AgentKey> keys = kernel.identity.keys("acme");

    kernel.swap();

    assertThat(kernel.identity.tenants()).isEqualTo(tenants);
    assertThat(kernel.identity.keys("acme")).isEqualTo(keys);
    kernel.admits(signed("acme", new Secret("tenant-secret", tenant.value())));
    kernel.admits(signed("acme", good));
    kernel.refuses(signed("acme", revoked), Code.KEY_REVOKED);
    kernel.clock.advance(Duration.ofDays(1));
    kernel.refuses(signed("acme", good), Code.KEY_EXPIRED);
  }

  @Test
  void a_swap_neither_readmits_a_replay_nor_puts_off_what_was_under_way() {
    Secret tenant = kernel.tenant("acme");
    Request taken = signed("acme", new Secret("tenant-secret", tenant.value()));
    Request underWay = signed("acme", new Secret("tenant-secret", tenant.value()));
    kernel.admits(taken);

    kernel.clock.advance(Duration.ofMillis(5));
    kernel.swap();

    kernel.refuses(taken, Code.REPLAYED);
    kernel.admits(underWay);
  }

  @Test
  void a_handover_serves_one_successor() throws IOException {
    long before = kernel.now();
    kernel.clock.advance(Duration.ofSeconds(1));
    kernel.swap();
    // What a crash leaves: the file as it is while its kernel runs.
    Path crashed = Files.createDirectory(kernel.dir.resolveSibling("crashed"));
    Files.copy(kernel.dir.resolve("identity.mv"), crashed.resolve("identity.mv"));

    kernel.admits(sample(before));
    try (Kernel next = Kernel.startIn(crashed, true, kernel.clock)) {
      next.refuses(sample(before), Code.RESTARTING);
      next.admits(sample(kernel.now()));
    }
  }

  @Test
  void once_stopped_every_call_is_told_to_retry() {
    kernel.identity.close();

    List<Runnable> calls =
        List.of(
            () -> kernel.identity.authenticate(Request.post("").presented()),
            () -> kernel.identity.tenants(),
            () -> kernel.identity.keys("acme"),
            () -> kernel.tenant("acme"),
            () -> addKey(null),
            () -> kernel.identity.revokeKey("acme", "ak_1", Kernel.OPERATOR),
            () -> kernel.identity.revokeBootstrapToken(Kernel.OPERATOR));

    assertThat(calls).allSatisfy(call -> assertThat(code(call)).isEqualTo(Code.RESTARTING));
  }

  @Test
  void the_sample_tenant_is_there_only_while_it_is_asked_for() {
    kernel.close();
    Kernel without = Kernel.startIn(kernel.dir, false);

    assertThat(without.identity.tenants()).isEmpty();
    without.refuses(Request.post("x").signedV1("tenantA", "TENANT_A_SECRET"), Code.UNKNOWN_TENANT);
    without.close();
  }

  @Test
  void keys_of_the_sample_tenant_outlive_a_swap_but_are_not_inherited() {
    Secret key = kernel.identity.addKey(new AgentId("tenantA", "a"), null, Kernel.OPERATOR);
    kernel.swap();
    kernel.admits(signed("tenantA", key));
    kernel.close();

    Kernel production = Kernel.startIn(kernel.dir, false);
    production.tenant("tenantA");
    assertThat(production.identity.keys("tenantA")).isEmpty();
    production.close();
  }

  @Test
  void a_real_tenant_is_not_weakened_by_the_sample_tenants_name() {
    Path dir = Kernel.newDir();
    try (Kernel production = Kernel.startIn(dir, false)) {
      production.tenant("tenantA");
    }

    try (Kernel careless = Kernel.startIn(dir, true)) {
      careless.refuses(
          Request.post("x").signedV1("tenantA", "TENANT_A_SECRET"), Code.SIGNATURE_VERSION_REFUSED);
      assertThat(careless.identity.tenants()).allMatch(tenant -> !tenant.compatibility());
    }
  }

  @Test
  void the_bootstrap_token_is_an_administrator_of_all_tenants() {
    Caller caller = kernel.admits(Request.bearer(kernel.bootstrapToken()));

    assertThat(caller).isEqualTo(Caller.person("bootstrap-token", Role.ADMIN, null));
    String scheme = "bEARER  " + kernel.bootstrapToken();
    kernel.admits(Request.bearer("").with("authorization", scheme));
  }

  @Test
  void a_wrong_bootstrap_token_is_refused() {
    String right = kernel.bootstrapToken();

    kernel.refuses(Request.bearer("aion_bt_"), Code.INVALID_TOKEN);
    kernel.refuses(Request.bearer(right + "A"), Code.INVALID_TOKEN);
    kernel.refuses(Request.bearer(right.substring(0, right.length() - 1)), Code.INVALID_TOKEN);
    kernel.refuses(Request.bearer("").with("authorization", "Basic eDp5"), Code.INVALID_TOKEN);
  }

  @Test
  void the_bootstrap_token_is_made_once_and_stays_after_a_swap() {
    String token = kernel.bootstrapToken();

    kernel.swap();

    assertThat(kernel.bootstrapToken()).isEqualTo(token);
    kernel.admits(Request.bearer(token));
  }

  @Test
  void a_revoked_bootstrap_token_is_revoked_for_ever_and_no_other_is_made() throws IOException {
    String token = kernel.bootstrapToken();

    kernel.identity.revokeBootstrapToken(Kernel.OPERATOR);

    Path file = kernel.dir.resolve("bootstrap.token");
    assertThat(file).doesNotExist();
    kernel.refuses(Request.bearer(token), Code.KEY_REVOKED);
    Files.writeString(file, token);
    kernel.swap();
    assertThat(file).doesNotExist();
    kernel.refuses(Request.bearer(token), Code.KEY_REVOKED);
  }

  @Test
  void a_token_of_nobody_is_refused_where_no_identity_provider_is_configured() {
    assertThat(kernel.refuses(Request.bearer("a.b.c"), Code.INVALID_TOKEN).message())
        .contains("no identity provider is configured");
  }

  @Test
  void files_are_their_owners_alone_also_where_they_were_open() throws IOException {
    assertModes();
    Files.setPosixFilePermissions(kernel.dir, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.setPosixFilePermissions(
        kernel.dir.resolve("identity.mv"), PosixFilePermissions.fromString("rw-r--r--"));

    kernel.swap();

    assertModes();
  }

  @Test
  void the_bootstrap_token_is_nowhere_in_the_store() throws IOException {
    kernel.identity.close();

    byte[] store = Files.readAllBytes(kernel.dir.resolve("identity.mv"));

    assertThat(new String(store, java.nio.charset.StandardCharsets.ISO_8859_1))
        .doesNotContain(kernel.bootstrapToken().substring("aion_bt_".length()))
        .doesNotContain("TENANT_A_SECRET");
  }

  @Test
  void two_kernels_cannot_share_a_directory() {
    assertThatThrownBy(() -> Kernel.startIn(kernel.dir, true))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("another kernel has")
        .hasMessageContaining("identity.mv");
    kernel.tenant("acme");
  }

  @Test
  void secrets_stay_out_of_texts_events_and_refusals() {
    Secret tenant = kernel.tenant("acme");
    Secret key = addKey(null);
    List<String> texts = new ArrayList<>();
    texts.add(tenant + " " + key);
    texts.add(kernel.identity.tenants() + " " + kernel.identity.keys("acme"));
    Request request = signed("acme", key);
    texts.add(kernel.admits(request).toString());
    texts.add(kernel.refuses(request, Code.REPLAYED).toString());
    texts.add(kernel.refuses(signed("acme", new Secret(key.id(), "x")), Code.BAD_SIGNATURE) + "");
    texts.add(kernel.refuses(Request.bearer("aion_bt_x"), Code.INVALID_TOKEN).toString());
    texts.add(kernel.journal.events.toString());

    assertThat(String.join("\n", texts))
        .doesNotContain(tenant.value())
        .doesNotContain(key.value())
        .doesNotContain(kernel.bootstrapToken())
        .doesNotContain(request.headers().get("x-sig-hmac"));
  }

  private void assertModes() throws IOException {
    assertThat(mode(kernel.dir)).isEqualTo("rwx------");
    assertThat(mode(kernel.dir.resolve("identity.mv"))).isEqualTo("rw-------");
    assertThat(mode(kernel.dir.resolve("bootstrap.token"))).isEqualTo("rw-------");
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private Secret addKey(Duration lifetime) {
    return kernel.identity.addKey(AGENT, lifetime, Kernel.OPERATOR);
  }

  private static Request sample(long timestampMillis) {
    return Request.post("body")
        .signedV2("tenantA", "tenant-secret", "TENANT_A_SECRET", timestampMillis);
  }

  private Request signed(String tenant, Secret key) {
    return Request.post("body").signedV2(tenant, key.id(), key.value(), kernel.now());
  }

  private static Code code(Runnable call) {
    return Kernel.problemOf(call).code();
  }
}
