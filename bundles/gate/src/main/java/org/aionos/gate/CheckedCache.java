package org.aionos.gate;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.aionos.gate.Gate.Refusal;
import org.apache.felix.framework.Logger;
import org.apache.felix.framework.cache.BundleArchive;
import org.apache.felix.framework.cache.BundleCache;
import org.apache.felix.framework.util.WeakZipFileFactory;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.connect.ModuleConnector;

/**
 * The framework's cache, into which only admitted bytes come. The framework loads from nowhere
 * else, so what is not in here does not run: it is not there, for hooks, extenders or the next
 * start.
 *
 * <p>Every bundle is read whole, looked at, and handed on as the bytes that were looked at. That is
 * so for {@code reference:} locations too, so no file outside of the cache can change under a
 * bundle that was checked, and unpacked folders are not taken at all.
 */
final class CheckedCache extends BundleCache {

  /** Of one bundle; four times the largest of the distribution. */
  private static final int BUNDLE_BYTES_MAX = 128 << 20;

  private static final String REFERENCE = "reference:";

  private final Logger logger;
  private final Map<String, Object> settings;
  private final Admissions admissions;
  private final WeakZipFileFactory zips = new WeakZipFileFactory(0);

  CheckedCache(Logger logger, Map<String, Object> settings, Admissions admissions)
      throws Exception {
    super(logger, settings);
    this.logger = logger;
    this.settings = settings;
    this.admissions = admissions;
  }

  @Override
  public BundleArchive create(
      long id,
      int startLevel,
      String location,
      @Nullable InputStream content,
      ModuleConnector connector)
      throws Exception {
    byte[] bytes = admitted(location, content);
    File folder = new File(getCacheDir(), "bundle" + id);
    try {
      return new Archive(connector, folder, id, startLevel, location, bytes);
    } catch (Exception failed) {
      Stored.delete(folder.toPath());
      throw failed;
    }
  }

  /**
   * What a former run left. If any of it is not what was let in, all of it is put aside: the
   * framework then starts as for the first time, from the distribution, and misses nothing, because
   * whatever must not be lost lies elsewhere.
   */
  @Override
  public BundleArchive[] getArchives(ModuleConnector connector) throws Exception {
    List<Stored> stored = Stored.in(getCacheDir().toPath());
    List<Refusal> refusals = stored.parallelStream().flatMap(it -> it.faults(admissions)).toList();
    if (!refusals.isEmpty()) {
      refusals.forEach(this::tell);
      Stored.deleteAll(getCacheDir().toPath());
      return new BundleArchive[0];
    }
    List<BundleArchive> archives = new ArrayList<>();
    for (Stored bundle : stored) {
      if (bundle.isForOneRun()) {
        Stored.delete(bundle.folder());
      } else {
        bundle.deleteUnpacked();
        archives.add(new Archive(connector, bundle.folder().toFile()));
      }
    }
    return archives.toArray(new BundleArchive[0]);
  }

  private byte[] admitted(String location, @Nullable InputStream content) throws IOException {
    byte[] bytes;
    try (InputStream from = content != null ? content : open(location)) {
      bytes = from.readNBytes(BUNDLE_BYTES_MAX + 1);
    } catch (IOException unreadable) {
      throw new IOException("not let in: " + location + " cannot be read", unreadable);
    }
    if (bytes.length > BUNDLE_BYTES_MAX) {
      throw refused(new Refusal(location, "", "has more than " + BUNDLE_BYTES_MAX + " bytes"));
    }
    String digest = Digest.of(bytes);
    if (!admissions.enters(location, digest)) {
      throw refused(
          new Refusal(
              location, digest, "is neither of the distribution nor allowed by aion:bundle-allow"));
    }
    return bytes;
  }

  private static InputStream open(String location) throws IOException {
    if (location.startsWith(REFERENCE)) {
      URI file = URI.create(location.substring(REFERENCE.length()));
      return Files.newInputStream(Path.of(file.getSchemeSpecificPart()));
    }
    return new URL(location).openStream();
  }

  private IOException refused(Refusal refusal) {
    tell(refusal);
    return new IOException("not let in: " + refusal.said());
  }

  /** There may be no log yet, or none any more. */
  private void tell(Refusal refusal) {
    logger.log(Logger.LOG_ERROR, "not let in: " + refusal.said());
    admissions.refused(refusal);
  }

  /** A bundle of the cache, for which each new content is looked at as well. */
  private final class Archive extends BundleArchive {

    Archive(
        ModuleConnector connector,
        File folder,
        long id,
        int startLevel,
        String location,
        byte[] bytes)
        throws Exception {
      super(
          logger,
          settings,
          zips,
          connector,
          folder,
          id,
          startLevel,
          location,
          new ByteArrayInputStream(bytes));
    }

    Archive(ModuleConnector connector, File folder) throws Exception {
      super(logger, settings, zips, connector, folder);
    }

    @Override
    public synchronized void revise(String location, @Nullable InputStream content)
        throws Exception {
      super.revise(location, new ByteArrayInputStream(admitted(location, content)));
    }
  }
}
