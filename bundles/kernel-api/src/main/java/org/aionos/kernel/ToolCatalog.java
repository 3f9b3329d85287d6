package org.aionos.kernel;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
      int concurrencyMax) {

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
