package org.aionos.kernel;

import java.util.List;
import org.aionos.kernel.ToolInstaller.Verdict;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * New versions of tools beside the old ones: each takes a share of its tool's calls, and goes by
 * itself if it fails more, or takes longer, than the old one. Calls that name a version get it.
 *
 * <p>A tool has one canary at most, and while it has, its old version is not replaced. Canaries
 * outlast a restart; what was counted of them does not.
 */
@ProviderType
public interface ToolCanaries {

  /** By tool. */
  List<Canary> canaries();

  /**
   * Installs a version beside the one that runs. Returns once it can be called.
   *
   * @param signature null if none came with the jar
   * @param force as in {@link ToolInstaller}
   * @param percent of the calls that name no version, 1 to 99
   * @throws Refused {@code TOOL_NOT_TRUSTED} or {@code INVALID_FIELD} as an installation, {@code
   *     CONFLICT} if no other version is installed, or the tool has a canary already
   */
  Verdict begin(byte[] jar, byte @Nullable [] signature, boolean force, int percent, String by);

  /**
   * Changes a canary's share; its calls are counted anew.
   *
   * @param percent 1 to 99
   * @throws Refused {@code NOT_FOUND} if the tool has no canary
   */
  Canary weigh(String tool, int percent, String by);

  /**
   * The new version takes all calls, and the old one goes once its calls in flight have ended.
   *
   * @throws Refused {@code NOT_FOUND} if the tool has no canary
   */
  void promote(String tool, String by);

  /**
   * The old version takes all calls, and the new one goes once its calls in flight have ended.
   *
   * @throws Refused {@code NOT_FOUND} if the tool has no canary
   */
  void end(String tool, String by);

  /**
   * @param version the new one
   * @param beside the old one
   * @param percent of the calls that name no version
   */
  record Canary(
      String tool,
      String version,
      String beside,
      int percent,
      Figures figures,
      Figures figuresBeside) {}

  /**
   * Of the latest calls.
   *
   * @param calls all since the canary began
   * @param failedPercent of the latest ones: faults and timeouts, not failures that a tool reports
   * @param latencyMillisP95 of the latest ones that did not fail; 0 for none
   */
  record Figures(long calls, double failedPercent, double latencyMillisP95) {

    public static final Figures NONE = new Figures(0, 0, 0);
  }
}
