package org.aionos.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.aionos.files.FolderWatch;
import org.aionos.files.WholeFile;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Policy;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.task.Cluster;
import org.aionos.policies.InvalidPolicy;
import org.aionos.policies.PolicyDocument;
import org.aionos.policies.RuleBook;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides by the rules in {@code agent.capabilities.yaml}, and takes a changed file into force
 * while calls go on. A file that cannot be used changes nothing: the last good version stays in
 * force, across restarts too, and {@link #version} says why the new one does not. With no version
 * at all, everything is denied.
 */
@Component(
    service = Policy.class,
    configurationPid = "org.aionos.policy",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = PolicyConfig.class)
public final class PolicyFile implements Policy {

  static final String FILE_NAME = "agent.capabilities.yaml";

  private static final Logger log = LoggerFactory.getLogger(PolicyFile.class);

  /** What is in force, as it was read, and why the file there now is not; swapped as one. */
  private record InForce(RuleBook book, byte[] document, String rejected) {}

  private static final byte[] NONE = {};

  private final Path file;
  private final Path lastGood;
  private final Path superseded;
  private final Journal journal;
  private final FolderWatch watch;
  private final SharedPolicy shared;
  private volatile InForce inForce =
      new InForce(RuleBook.EMPTY, NONE, "no policy file was read yet");

  /** Null for a kernel that is alone. */
  @Reference(
      name = "cluster",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Cluster cluster;

  @Activate
  public PolicyFile(
      PolicyConfig config, BundleContext context, @Reference(name = "journal") Journal journal) {
    this(
        config.dir().isEmpty()
            ? Path.of(String.valueOf(context.getProperty("aion.policies")))
            : Path.of(config.dir()),
        Path.of(String.valueOf(context.getProperty("aion.state")), "policy"),
        Duration.ofMillis(config.reloadMillis()),
        journal,
        System::nanoTime);
  }

  PolicyFile(Path folder, Path state, Duration reload, Journal journal, LongSupplier nanos) {
    this.file = folder.resolve(FILE_NAME);
    this.lastGood = state.resolve("last-good." + FILE_NAME);
    this.superseded = state.resolve("superseded." + FILE_NAME);
    this.journal = journal;
    this.watch = new FolderWatch("aion-policy-watch", folder, FILE_NAME, changed -> reload());
    this.shared =
        new SharedPolicy(
            () -> cluster,
            state.resolve("cluster-number"),
            nanos,
            new SharedPolicy.Here() {
              @Override
              public byte[] inForce() {
                return inForce.document;
              }

              @Override
              public void adopt(byte[] document) throws InvalidPolicy, IOException {
                PolicyFile.this.adopt(document);
              }
            });
    start(reload);
    shared.start();
  }

  private void start(Duration reload) {
    watch.settle();
    reload();
    if (inForce.book == RuleBook.EMPTY) {
      restoreLastGood();
    }
    watch.start(reload);
  }

  @Deactivate
  void close() {
    shared.close();
    watch.close();
  }

  @Override
  public Decision decide(Asked asked, AgentProcess agent, Set<String> needs) {
    return inForce.book.decide(asked.syscall(), agent, needs);
  }

  @Override
  public Decision decideTool(
      Decision.Allow permit, AgentProcess agent, String tool, Set<String> needs, Trust trust) {
    return inForce.book.decideTool(permit, agent, tool, needs, trust);
  }

  @Override
  public Grants grants(AgentId agent, Declared declared) {
    return inForce.book.grants(agent, declared);
  }

  @Override
  public Version version() {
    InForce now = inForce;
    return new Version(now.book.version(), file.toString(), now.rejected);
  }

  @Override
  public String behind() {
    return shared.behind();
  }

  /** For tests: what a thread does by itself soon. */
  void exchange() {
    shared.exchange();
  }

  /**
   * Puts another node's policy in the place of our file. What stood there is kept in the state
   * folder, since a person may have written it.
   *
   * @throws InvalidPolicy if this kernel cannot read it: the file stays as it is then
   */
  private synchronized void adopt(byte[] document) throws InvalidPolicy, IOException {
    read(document);
    if (Files.exists(file)) {
      WholeFile.write(superseded, Files.readAllBytes(file));
    }
    WholeFile.write(file, document);
    reload();
    if (!Arrays.equals(inForce.document, document)) {
      throw new IOException(inForce.rejected);
    }
    log.info("policy adopted from the cluster: version={}", inForce.book.version());
  }

  /** Takes the file into force if it is good and new. */
  synchronized void reload() {
    try {
      byte[] bytes = Files.readAllBytes(file);
      RuleBook book = read(bytes);
      if (!book.version().equals(inForce.book.version())) {
        WholeFile.write(lastGood, bytes);
        activate(book, bytes);
      }
      inForce = new InForce(inForce.book, inForce.document, "");
    } catch (InvalidPolicy invalid) {
      reject(invalid.describe());
    } catch (NoSuchFileException missing) {
      reject(file + " does not exist");
    } catch (IOException unreadable) {
      reject("cannot be read: " + unreadable.getMessage());
    } catch (RuntimeException refused) {
      // The journal would not have it: a version nobody can prove was in force must not be.
      reject(String.valueOf(refused.getMessage()));
    }
  }

  private static RuleBook read(byte[] file) throws InvalidPolicy {
    PolicyDocument document = PolicyDocument.read(Map.of(FILE_NAME, file));
    return document.rules(document.suggestedName(8));
  }

  private void activate(RuleBook book, byte[] document) {
    journal.record(
        new Journal.Event(
            "kernel.policy",
            "policy.activated",
            null,
            Map.of("version", book.version(), "before", inForce.book.version())));
    inForce = new InForce(book, document, "");
    shared.soon();
    log.info("policy activated: version={} file={}", book.version(), file);
  }

  private void reject(String why) {
    inForce = new InForce(inForce.book, inForce.document, why);
    log.error("policy refused: file={} why={} kept={}", file, why, inForce.book.version());
    try {
      journal.record(
          new Journal.Event(
              "kernel.policy",
              "policy.refused",
              null,
              Map.of("why", why, "kept", inForce.book.version())));
    } catch (Refused journalAway) {
      log.error("the refusal of a policy could not be recorded: file={}", file);
    }
  }

  private void restoreLastGood() {
    try {
      byte[] document = Files.readAllBytes(lastGood);
      RuleBook book = read(document);
      inForce = new InForce(book, document, inForce.rejected);
      log.warn("policy restored: version={} from={}", book.version(), lastGood);
    } catch (IOException | InvalidPolicy none) {
      log.error("policy denies everything: no good version of {} was ever seen", file);
    }
  }
}
