package org.aionos.trust;

import static java.util.Comparator.naturalOrder;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.aionos.document.InvalidDocument;

/** The vendors that an operator trusts, as they stood in the trust store at one moment. */
record Vendors(Map<String, Vendor> byName) {

  static final String SUFFIX = ".yaml";

  private static final int VENDORS_MAX = 1_000;
  private static final int FILE_BYTES_MAX = 1 << 20;

  Vendors {
    byName = Map.copyOf(byName);
  }

  /** A trust store that cannot be read as a whole. It is then not read at all. */
  static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1L;

    Unreadable(String message) {
      super(message, null, false, false);
    }
  }

  /**
   * Reads all files of the folder, or none: one that is broken may hold the revocation that
   * matters. An absent folder trusts nobody.
   */
  static Vendors read(Path folder) throws Unreadable {
    Map<String, Vendor> vendors = new HashMap<>();
    for (Path file : files(folder)) {
      String fileName = file.getFileName().toString();
      String name = fileName.substring(0, fileName.length() - SUFFIX.length());
      try {
        if (!Vendor.NAME.matcher(name).matches()) {
          throw new Unreadable(file + ": the file's name must match " + Vendor.NAME.pattern());
        }
        if (Files.size(file) > FILE_BYTES_MAX) {
          throw new Unreadable(file + ": more than " + FILE_BYTES_MAX + " bytes");
        }
        vendors.put(name, Vendor.read(name, Files.readAllBytes(file)));
      } catch (InvalidDocument invalid) {
        throw new Unreadable(file + ": " + invalid.describe());
      } catch (IOException unreadable) {
        throw new Unreadable(file + ": " + unreadable);
      }
    }
    return new Vendors(vendors).checked();
  }

  private static Set<Path> files(Path folder) throws Unreadable {
    Set<Path> files = new TreeSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path file : entries) {
        String name = file.getFileName().toString();
        if (name.startsWith(".")) {
          continue;
        }
        // A vendor.yml that nobody reads would be a revocation that does not count.
        if (!name.endsWith(SUFFIX)) {
          throw new Unreadable(file + ": only files <vendor>" + SUFFIX + " belong here");
        }
        files.add(file);
      }
    } catch (NoSuchFileException none) {
      return files;
    } catch (IOException | java.nio.file.DirectoryIteratorException unreadable) {
      throw new Unreadable(folder + ": " + unreadable);
    }
    if (files.size() > VENDORS_MAX) {
      throw new Unreadable(folder + ": more than " + VENDORS_MAX + " vendors");
    }
    return files;
  }

  /** A key that stands for two vendors would let one speak with the other's rights. */
  private Vendors checked() throws Unreadable {
    Set<String> ids = new HashSet<>();
    Set<PublicKey> keys = new HashSet<>();
    for (VendorKey key : keys()) {
      if (!ids.add(key.id()) || !keys.add(key.key())) {
        throw new Unreadable("the key " + key.id() + " stands twice in the trust store");
      }
    }
    return this;
  }

  List<VendorKey> keys() {
    List<VendorKey> keys = new ArrayList<>();
    byName.values().forEach(vendor -> keys.addAll(vendor.keys()));
    return keys;
  }

  boolean revokes(String digest) {
    return byName.values().stream().anyMatch(vendor -> vendor.revokedDigests().contains(digest));
  }

  /** When the next key is due to be revoked. */
  Optional<Instant> nextRevocation(Instant after) {
    return keys().stream()
        .flatMap(key -> Optional.ofNullable(key.revoked()).stream())
        .filter(revoked -> revoked.isAfter(after))
        .min(naturalOrder());
  }
}
