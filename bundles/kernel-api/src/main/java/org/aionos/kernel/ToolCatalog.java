package org.aionos.kernel;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.aionos.kernel.ToolCanaries.Figures;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/** The tools installed right now. */
@ProviderType
public interface ToolCatalog {

  /** By name, highest version first. */
  List<Installed> tools();

  /**
   * Whether the tool of a bundle is in service.
   *
   * @param origin location of the bundle
   */
  boolean holds(String origin);

  /**
   * Why a tool whose bundle was started is not among them; empty if it is, or is not yet looked at.
   *
   * @param origin location of the bundle
   */
  Optional<Problem> refusal(String origin);

  /**
   * Sends a share of a tool's calls to one of its versions, and compares how they end with how
   * those of the others do. Begin it before that version is there, else it gets all calls for a
   * moment. A former trial of the tool ends.
   *
   * @param version the one on trial
   * @param percent of the calls that name no version
   * @param deviated told once, why, if the version on trial fails more, or takes longer: from then
   *     on it gets no such calls. Called on the thread of a call, so it must not wait for calls
   */
  Trial trial(String tool, String version, int percent, Consumer<String> deviated);

  /** A version on trial; ends when closed, and then the highest version gets all calls. */
  interface Trial extends AutoCloseable {

    Figures onTrial();

    Figures others();

    /** Changes the share; calls are counted anew. */
    void weigh(int percent);

    @Override
    void close();
  }

  /**
   * @param callsInFlight right now
   */
  record Installed(ToolManifest manifest, int callsInFlight) {}

  /**
   * A tool.yml, read and found valid.
   *
   * @param tier the part of {@code entry} before the colon: {@code bundle}, {@code wasm}, {@code
   *     python} …
   * @param target the part after it
   * @param input the input schema, as written
   * @param needs {@code capabilities_required}
   * @param timeoutMillisMax upper bound on one call
   * @param concurrencyMax calls in flight at once
   * @param idempotent whether a call that may have been carried out may be made once more: the tool
   *     says so of itself
   */
  record ToolManifest(
      String name,
      String version,
      String description,
      String tier,
      String target,
      @Nullable Object input,
      @Nullable Object output,
      Set<String> needs,
      Map<String, @Nullable Object> security,
      Map<String, @Nullable Object> signatures,
      long timeoutMillisMax,
      int concurrencyMax,
      boolean idempotent) {

    /** Of a tool that does not say that it is idempotent. */
    public ToolManifest(
        String name,
        String version,
        String description,
        String tier,
        String target,
        @Nullable Object input,
        @Nullable Object output,
        Set<String> needs,
        Map<String, @Nullable Object> security,
        Map<String, @Nullable Object> signatures,
        long timeoutMillisMax,
        int concurrencyMax) {
      this(
          name,
          version,
          description,
          tier,
          target,
          input,
          output,
          needs,
          security,
          signatures,
          timeoutMillisMax,
          concurrencyMax,
          false);
    }

    /** The tier of code that runs in the kernel's own process. */
    public static final String TRUSTED = "bundle";

    public ToolManifest {
      needs = Set.copyOf(needs);
    }

    public String nameAndVersion() {
      return name + "@" + version;
    }
  }
}
