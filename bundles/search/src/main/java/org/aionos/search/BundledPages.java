package org.aionos.search;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** The documents that come with the kernel. */
final class BundledPages {

  static final String FOLDER = "/documents/";

  /** A bundle's folders cannot be listed without the OSGi API, so a file lists them. */
  static final String CONTENTS = FOLDER + "contents.txt";

  private BundledPages() {}

  static List<Page> read() throws IOException {
    List<Page> pages = new ArrayList<>();
    for (String file : resource(CONTENTS).lines().toList()) {
      pages.add(Page.of(file, "aion://docs/" + file, resource(FOLDER + file)));
    }
    return pages;
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = BundledPages.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new FileNotFoundException("the bundle has no " + name);
      }
      return new String(in.readAllBytes(), UTF_8);
    }
  }
}
