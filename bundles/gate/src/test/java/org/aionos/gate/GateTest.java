package org.aionos.gate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import net.jqwik.api.Example;
import net.jqwik.api.lifecycle.AfterTry;
import org.aionos.gate.Gate.Refusal;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.launch.Framework;

/** What comes into a real framework, and what is left of it at the next start. */
final class GateTest {

  private static final byte[] OURS = bundle("org.example.ours", "");
  private static final byte[] STRANGE = bundle("org.example.strange", "");
  private static final byte[] TRUST = bundle("org.aionos.trust", "");

  private final Path home = Files.createTempDirectory("gate");
  private final Path allowed = home.resolve("config/trust/allowed-bundles.txt");
  private Framework framework;

  GateTest() throws Exception {
    Files.createDirectories(home.resolve("lib"));
    Files.createDirectories(allowed.getParent());
    Files.writeString(
        home.resolve("lib/distribution.sha256"),
        Digest.of(OURS) + "  ./ours.jar\n" + Digest.of(TRUST) + "  ./trust.jar\n");
    framework = start();
  }

  private Framework start() throws BundleException {
    Framework started =
        new GateFrameworkFactory()
            .newFramework(
                Map.of(
                    "karaf.home", home.toString(),
                    "aion.config", home.resolve("config").toString(),
                    "org.osgi.framework.storage", home.resolve("cache").toString()));
    started.start();
    return started;
  }

  private void restart() throws Exception {
    stop();
    framework = start();
  }

  @AfterTry
  void stop() throws Exception {
    framework.stop();
    framework.waitForStop(10_000);
  }

  @Example
  void the_distributions_bundles_come_in_wherever_they_come_from() throws Exception {
    install("somewhere:ours", OURS).start();
    restart();
    assertThat(named("org.example.ours").getState()).isEqualTo(Bundle.ACTIVE);
  }

  @Example
  void others_do_not_and_leave_nothing_behind() throws Exception {
    assertThatThrownBy(() -> install("somewhere:strange", STRANGE))
        .isInstanceOf(BundleException.class)
        .hasRootCauseMessage(
            "not let in: somewhere:strange, digest "
                + Digest.of(STRANGE)
                + ", is neither of the distribution nor allowed by aion:bundle-allow");
    assertThat(context().getBundles()).hasSize(1);
    assertThat(Stored.in(home.resolve("cache"))).isEmpty();
  }

  @Example
  void an_update_is_looked_at_too_and_the_old_content_stays() throws Exception {
    Bundle ours = install("somewhere:ours", OURS);
    ours.start();

    assertThatThrownBy(() -> ours.update(new ByteArrayInputStream(STRANGE)))
        .isInstanceOf(BundleException.class);

    assertThat(ours.getState()).isEqualTo(Bundle.ACTIVE);
    assertThat(ours.getSymbolicName()).isEqualTo("org.example.ours");
  }

  @Example
  void an_extension_of_the_framework_is_refused_before_it_is_one() throws Exception {
    byte[] extension =
        bundle(
            "org.example.extension",
            "Fragment-Host: system.bundle;extension:=framework\n"
                + "ExtensionBundle-Activator: org.example.Absent\n");
    assertThatThrownBy(() -> install("somewhere:extension", extension))
        .isInstanceOf(BundleException.class);
    assertThat(context().getBundles()).hasSize(1);
  }

  @Example
  void what_an_operator_allowed_comes_in_and_endures_until_it_is_disallowed() throws Exception {
    Files.writeString(allowed, "# a comment\n" + Digest.of(STRANGE) + "  strange.jar\n", UTF_8);
    install("somewhere:strange", STRANGE);
    restart();
    assertThat(named("org.example.strange")).isNotNull();

    Files.delete(allowed);
    restart();
    assertThat(context().getBundles()).hasSize(1);
  }

  @Example
  void a_reference_is_copied_so_the_file_may_change_afterwards() throws Exception {
    Path file = home.resolve("ours with space.jar");
    Files.write(file, OURS);
    context().installBundle("reference:" + file.toUri());
    Files.write(file, STRANGE);

    restart();

    assertThat(named("org.example.ours")).isNotNull();
    assertThatThrownBy(() -> context().installBundle("reference:" + home.resolve("lib").toUri()))
        .isInstanceOf(BundleException.class);
  }

  @Example
  void bytes_changed_in_the_cache_make_the_next_start_a_first_one_and_it_says_why()
      throws Exception {
    install("somewhere:ours", OURS);
    Path jar = jarOf(named("org.example.ours"));
    stop();
    Files.write(jar, STRANGE);

    framework = start();

    assertThat(context().getBundles()).hasSize(1);
    assertThat(refusals())
        .containsExactly(
            new Refusal(
                "somewhere:ours",
                Digest.of(STRANGE),
                "lies in the cache and is neither of the distribution nor allowed"));
  }

  @Example
  void a_cache_that_points_elsewhere_is_not_followed() throws Exception {
    Path elsewhere = home.resolve("elsewhere.jar");
    Files.write(elsewhere, STRANGE);
    install("somewhere:ours", OURS);
    Path origin = jarOf(named("org.example.ours")).resolveSibling("revision.location");
    stop();
    Files.writeString(origin, "reference:" + elsewhere.toUri());

    framework = start();

    assertThat(context().getBundles()).hasSize(1);
    assertThat(refusals()).extracting(Refusal::why).containsExactly("does not lie in the cache");
  }

  @Example
  void what_was_unpacked_of_a_jar_is_not_used_again() throws Exception {
    install("somewhere:ours", OURS);
    Path unpacked =
        jarOf(named("org.example.ours")).resolveSibling("bundle.jar-embedded/lib/inner.jar");
    stop();
    Files.createDirectories(unpacked.getParent());
    Files.write(unpacked, STRANGE);

    framework = start();

    assertThat(unpacked).doesNotExist();
    assertThat(named("org.example.ours")).isNotNull();
  }

  @Example
  void trust_alone_vouches_once_for_bytes_at_a_place_and_for_one_run() throws Exception {
    String place = Gate.FOR_ONE_RUN + "strange/1.0.0";
    Gate gate = gateOf(install("somewhere:trust", TRUST));
    gate.admit(place, Digest.of(STRANGE));
    assertThatThrownBy(() -> install("somewhere:strange", STRANGE))
        .isInstanceOf(BundleException.class);

    install(place, STRANGE).uninstall();
    assertThatThrownBy(() -> install(place, STRANGE)).isInstanceOf(BundleException.class);
    gate.admit(place, Digest.of(STRANGE));
    install(place, STRANGE);
    restart();

    assertThat(named("org.example.strange")).isNull();
    assertThat(named("org.aionos.trust")).isNotNull();
    assertThatThrownBy(() -> gate.admit("mvn:somewhere", Digest.of(STRANGE)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Example
  void others_are_not_given_the_gate() throws Exception {
    assertThat(gateOf(install("somewhere:ours", OURS))).isNull();
  }

  @Example
  void without_the_list_of_the_distribution_there_is_no_framework() throws Exception {
    Path list = home.resolve("lib/distribution.sha256");
    Files.writeString(list, "nothing of use\n");
    assertThatThrownBy(this::start).isInstanceOf(IllegalStateException.class);
    Files.delete(list);
    assertThatThrownBy(this::start)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("the gate stays shut");
  }

  private BundleContext context() {
    return framework.getBundleContext();
  }

  private Bundle install(String location, byte[] bytes) throws BundleException {
    return context().installBundle(location, new ByteArrayInputStream(bytes));
  }

  private Bundle named(String symbolicName) {
    for (Bundle bundle : context().getBundles()) {
      if (symbolicName.equals(bundle.getSymbolicName())) {
        return bundle;
      }
    }
    return null;
  }

  private static Gate gateOf(Bundle asking) throws BundleException {
    asking.start();
    BundleContext context = asking.getBundleContext();
    return context.getService(context.getServiceReference(Gate.class));
  }

  private List<Refusal> refusals() throws BundleException {
    List<Refusal> refusals = new ArrayList<>();
    gateOf(install("somewhere:trust", TRUST)).onRefusal(refusals::add);
    return refusals;
  }

  private Path jarOf(Bundle bundle) {
    return home.resolve("cache/bundle" + bundle.getBundleId() + "/version0.0/bundle.jar");
  }

  private static byte[] bundle(String symbolicName, String moreHeaders) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream jar = new JarOutputStream(bytes)) {
      jar.putNextEntry(new ZipEntry("META-INF/MANIFEST.MF"));
      jar.write(
          ("Manifest-Version: 1.0\nBundle-ManifestVersion: 2\nBundle-SymbolicName: "
                  + symbolicName
                  + "\n"
                  + moreHeaders)
              .getBytes(UTF_8));
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
    return bytes.toByteArray();
  }
}
