package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.files.WholeFile;

/**
 * The user on the host that runs the tools of a tenant. A tenant keeps its number for ever, so no
 * file or process of one tenant ever belongs to another.
 */
final class TenantUids {

  private static final int TENANTS_MAX = 60_000;

  private final Path file;
  private final int first;

  /** Tenant to its place in the range. Guarded by this. */
  private final Map<String, Integer> places = new LinkedHashMap<>();

  TenantUids(Path file, int first) throws IOException {
    this.file = file;
    this.first = first;
    if (Files.exists(file)) {
      for (String line : Files.readAllLines(file, US_ASCII)) {
        int tab = line.indexOf('\t');
        places.put(line.substring(0, tab), Integer.valueOf(line.substring(tab + 1)));
      }
    }
  }

  /**
   * The user of a tenant.
   *
   * @throws IOException if a new one cannot be put on record
   */
  synchronized int of(String tenant) throws IOException {
    Integer known = places.get(tenant);
    if (known != null) {
      return first + known;
    }
    int place = places.size();
    if (place >= TENANTS_MAX) {
      throw new IOException("there are no more than " + TENANTS_MAX + " users for tenants");
    }
    places.put(tenant, place);
    try {
      StringBuilder lines = new StringBuilder();
      places.forEach((name, number) -> lines.append(name).append('\t').append(number).append('\n'));
      WholeFile.write(file, lines.toString().getBytes(US_ASCII));
    } catch (IOException unwritten) {
      places.remove(tenant);
      throw unwritten;
    }
    return first + place;
  }
}
