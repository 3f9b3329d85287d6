package org.aionos.trust;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.aionos.gate.Gate;
import org.aionos.gate.Gate.Refusal;
import org.aionos.kernel.Journal;
import org.aionos.kernel.KernelBundles;
import org.aionos.kernel.Refused;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the list by which the gate lets other bundles in, and puts on record what it refused. */
@Component(service = KernelBundles.class, immediate = true)
public final class BundleAdmission implements KernelBundles {

  private static final Logger log = LoggerFactory.getLogger(BundleAdmission.class);

  private final Gate gate;
  private final AllowList allowed;
  private final Journal journal;

  @Activate
  public BundleAdmission(
      BundleContext context,
      @Reference(name = "gate") Gate gate,
      @Reference(name = "journal") Journal journal)
      throws IOException {
    Path config = Path.of(String.valueOf(context.getProperty("aion.config")));
    this.allowed = AllowList.ofBundles(Files.createDirectories(config.resolve("trust")));
    this.journal = journal;
    this.gate = gate;
    gate.onRefusal(refusal -> refused(journal, refusal));
  }

  @Deactivate
  void close() {
    gate.onRefusal(null);
  }

  @Override
  public void allow(String digest, String by) {
    allowed.add(digest);
    journal.record(event("bundle.allowed", Map.of("digest", digest, "by", by)));
  }

  @Override
  public void disallow(String digest, String by) {
    allowed.remove(digest);
    journal.record(event("bundle.disallowed", Map.of("digest", digest, "by", by)));
  }

  @Override
  public Set<String> allowed() {
    return allowed.digests();
  }

  private static void refused(Journal journal, Refusal refusal) {
    log.error("bundle refused: {}", refusal.said());
    try {
      journal.record(
          event(
              "bundle.refused",
              Map.of(
                  "location", refusal.location(),
                  "digest", refusal.digest(),
                  "why", refusal.why())));
    } catch (Refused journalAway) {
      log.error("not on record: bundle.refused {}", refusal.location());
    }
  }

  private static Journal.Event event(String kind, Map<String, Object> facts) {
    return new Journal.Event("kernel.bundles", kind, null, facts);
  }
}
