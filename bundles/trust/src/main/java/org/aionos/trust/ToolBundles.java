package org.aionos.trust;

import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.aionos.gate.Gate;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolTier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.FrameworkWiring;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tools as bundles of the framework: started from checked bytes, for this run only. */
final class ToolBundles {

  private static final Logger log = LoggerFactory.getLogger(ToolBundles.class);

  private final BundleContext context;
  private final Gate gate;
  private final ToolCatalog catalog;
  private final Duration startMax;

  /**
   * @param startMax within which an installed tool must be callable
   */
  ToolBundles(BundleContext context, Gate gate, ToolCatalog catalog, Duration startMax) {
    this.context = context;
    this.gate = gate;
    this.catalog = catalog;
    this.startMax = startMax;
  }

  /** What the framework remembers of a former run, which is not to be built on. */
  void forgetFormerRun() {
    for (Bundle bundle : context.getBundles()) {
      if (bundle.getLocation().startsWith(ToolJar.LOCATION) && bundle.getState() != Bundle.ACTIVE) {
        uninstall(bundle);
      }
    }
  }

  /** The bundle of just this jar of a tool. */
  @Nullable Bundle running(String tool, String digest) {
    return running(tool).stream()
        .filter(bundle -> bundle.getLocation().endsWith("/" + digest))
        .findFirst()
        .orElse(null);
  }

  /** Of all its versions. */
  List<Bundle> running(String tool) {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> bundle.getLocation().startsWith(ToolJar.LOCATION + tool + "/"))
        .toList();
  }

  /** Bundles that are wired to the one that would give way, and so would be stopped with it. */
  List<String> dependents(ToolJar next) {
    List<Bundle> before =
        running(next.manifest().name()).stream()
            .filter(bundle -> !bundle.getLocation().equals(next.location()))
            .toList();
    if (before.isEmpty()) {
      return List.of();
    }
    FrameworkWiring wiring =
        context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).adapt(FrameworkWiring.class);
    return wiring.getDependencyClosure(before).stream()
        .filter(bundle -> !before.contains(bundle))
        .map(bundle -> bundle.getSymbolicName() + " " + bundle.getVersion())
        .sorted()
        .toList();
  }

  int callsInFlight(String tool) {
    return catalog.tools().stream()
        .filter(installed -> installed.manifest().name().equals(tool))
        .mapToInt(ToolCatalog.Installed::callsInFlight)
        .sum();
  }

  /**
   * Starts a tool; returns once it can be called.
   *
   * @throws Refused {@code INVALID_FIELD}, and it is not installed
   */
  void bringUp(ToolJar jar) {
    bringUp(jar, true);
  }

  /**
   * Starts a tool again after a restart. Then we may come before the bundle of its tier, and must
   * not keep that waiting: the tool comes when its tier does.
   *
   * @throws Refused {@code INVALID_FIELD}, and it is not installed
   */
  void bringBack(ToolJar jar) {
    bringUp(jar, hasTier(jar.manifest()));
  }

  private boolean hasTier(ToolManifest manifest) {
    try {
      return manifest.tier().equals(ToolManifest.TRUSTED)
          || !context
              .getServiceReferences(
                  ToolTier.class, "(" + ToolTier.TIERS + "=" + manifest.tier() + ")")
              .isEmpty();
    } catch (InvalidSyntaxException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private void bringUp(ToolJar jar, boolean waits) {
    try {
      gate.admit(jar.location(), jar.digest());
      Bundle bundle = context.installBundle(jar.location(), new ByteArrayInputStream(jar.bytes()));
      try {
        // Else a bundle waits for the framework to reach its default level, which it does last.
        bundle.adapt(BundleStartLevel.class).setStartLevel(1);
        bundle.start(Bundle.START_TRANSIENT);
        if (waits) {
          awaitService(jar);
        }
      } catch (BundleException | RuntimeException failed) {
        bundle.uninstall();
        throw failed;
      }
    } catch (BundleException failed) {
      log.error("tool does not start: tool={}", jar.manifest().nameAndVersion(), failed);
      throw new Refused(
          Code.INVALID_FIELD,
          jar.manifest().nameAndVersion() + " does not start: " + failed.getMessage());
    }
  }

  /** Stops a tool once its calls in flight have ended. */
  void uninstall(Bundle bundle) {
    try {
      bundle.uninstall();
    } catch (BundleException failed) {
      log.error("tool does not stop cleanly: bundle={}", bundle, failed);
    }
  }

  /** A tool is up once the router has it in its table. */
  private void awaitService(ToolJar jar) {
    long end = System.nanoTime() + startMax.toNanos();
    while (!catalog.holds(jar.location())) {
      Problem why = catalog.refusal(jar.location()).orElse(null);
      if (why != null) {
        throw new Refused(why);
      }
      if (System.nanoTime() - end > 0) {
        throw new Refused(Code.INVALID_FIELD, whyNotUp(jar.manifest()));
      }
      LockSupport.parkNanos(2_000_000);
    }
  }

  private static String whyNotUp(ToolManifest manifest) {
    return manifest.tier().equals(ToolManifest.TRUSTED)
        ? manifest.nameAndVersion()
            + " started but offers no tool that the kernel takes; see the kernel's log"
        : "no bundle of this kernel serves the tier " + manifest.tier();
  }
}
