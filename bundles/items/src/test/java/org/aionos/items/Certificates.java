package org.aionos.items;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** Certificates in a folder, made by the JDK's own tool, for tests of servers behind TLS. */
public final class Certificates {

  private static final String PASSWORD = "changeit";

  private final Path folder;

  public Certificates(Path folder) {
    this.folder = folder;
  }

  /** One whose word can be taken: its certificate. */
  public Path authority(String name) throws Exception {
    keytool(name, "-genkeypair", "-keyalg", "EC", "-dname", "CN=" + name, "-ext", "bc:c");
    return pem(name);
  }

  /** Makes {@code <name>.pem} and {@code <name>.key}, for a host such as {@code ip:127.0.0.1}. */
  public void certify(String authority, String name, String alternative) throws Exception {
    String request = folder.resolve(name + ".csr").toString();
    String answer = folder.resolve(name + ".crt").toString();
    keytool(name, "-genkeypair", "-keyalg", "EC", "-dname", "CN=" + name);
    keytool(name, "-certreq", "-file", request);
    keytool(
        authority,
        "-gencert",
        "-infile",
        request,
        "-outfile",
        answer,
        "-ext",
        "san=" + alternative);
    keytool(authority, "-exportcert", "-file", folder.resolve("up.crt").toString());
    importCertificate(name, "up", folder.resolve("up.crt").toString());
    importCertificate(name, name, answer);
    pem(name);
  }

  private void importCertificate(String store, String alias, String file) throws Exception {
    run(store, "-importcert", "-noprompt", "-alias", alias, "-file", file);
  }

  private void keytool(String store, String... words) throws Exception {
    List<String> all = new ArrayList<>(Arrays.asList(words));
    all.add("-alias");
    all.add(store);
    run(store, all.toArray(String[]::new));
  }

  private void run(String store, String... words) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin/keytool").toString()));
    command.addAll(Arrays.asList(words));
    command.addAll(
        List.of("-keystore", folder.resolve(store + ".p12").toString(), "-storepass", PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), US_ASCII);
    assertThat(process.waitFor()).as(output).isZero();
  }

  /** Certificate and key of a store, as Redis reads them. */
  private Path pem(String name) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream bytes = Files.newInputStream(folder.resolve(name + ".p12"))) {
      store.load(bytes, PASSWORD.toCharArray());
    }
    Key key = store.getKey(name, PASSWORD.toCharArray());
    Files.writeString(folder.resolve(name + ".key"), text("PRIVATE KEY", key.getEncoded()));
    return Files.writeString(
        folder.resolve(name + ".pem"),
        text("CERTIFICATE", store.getCertificateChain(name)[0].getEncoded()));
  }

  private static String text(String what, byte[] bytes) {
    return "-----BEGIN %s-----%n%s%n-----END %s-----%n"
        .formatted(what, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes), what);
  }
}
