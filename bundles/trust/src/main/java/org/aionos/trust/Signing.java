package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.interfaces.ECKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.files.WholeFile;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolInstaller.Signer;
import org.jspecify.annotations.Nullable;

/**
 * Makes keys and signatures for vendors, and checks signatures as the kernel does, without a
 * kernel. Needs this bundle's jar, the one of kernel-api, and the JSON and YAML libraries.
 */
public final class Signing {

  static final int DONE = 0;
  static final int REFUSED = 1;
  static final int BAD_USAGE = 2;

  /** Unpacked it may be four times as large; the kernel's own bound is trust.jar_bytes_max. */
  private static final long JAR_BYTES_MAX = 1L << 30;

  static final String PRIVATE_FILE = "signing-key.pem";
  static final String PUBLIC_FILE = "signing-key.pub.pem";

  private static final Map<String, String> HELP =
      Map.of(
          "keygen",
          """
          ./aion keygen --out DIR [--ed25519]

          Makes a key pair that signs tools: ECDSA P-256, or Ed25519. Writes DIR/signing-key.pem (the private
          key, PKCS#8, readable by its owner alone) and DIR/signing-key.pub.pem, and prints the key's id.
          Files that are there are never overwritten.
          Exit code: 0 done, 2 it could not be done.
          """,
          "sign",
          """
          ./aion sign --key FILE --jar JAR [--key-id ID] [--sbom FILE]
          ./aion sign --key FILE --manifest AGENT.yml [--key-id ID]

          Signs a tool jar: its bytes, and the permissions that its tool.yml asks for. Writes JAR.sigstore.json.
          Or the manifest of an agent; writes AGENT.yml.sigstore.json.
            --key FILE     private key as `./aion keygen` makes it: PKCS#8 PEM, ECDSA P-256 or Ed25519
            --key-id ID    what operators know the key by; without, its fingerprint, as keygen prints it
            --sbom FILE    a bill of materials, whose SHA-256 is signed too; without, the one in the jar, if there is one
          Exit code: 0 signed, 1 the kernel would not take this for what it is to be, 2 it could not be done.
          """,
          "verify",
          """
          ./aion verify --jar JAR [--signature FILE] [--key PUB.pem | --trust DIR] [--sbom FILE] [--json]

          Checks a tool jar's signature as the kernel does, without a kernel.
            --signature FILE  without, JAR.sigstore.json or else JAR.sig (of `cosign sign-blob --key`)
            --key PUB.pem     by this key alone, whatever the trust store says
            --trust DIR       by the vendors of this folder, and by what each may sign; without --key and
                              --trust, by config/trust/vendors of the data directory
            --sbom FILE       the signature must be over this bill of materials too
            --json            print one JSON object
          Exit code: 0 it is good, 1 it is not, 2 it could not be looked at.
          """);

  /** The command line, understood: the first word, and what follows each option. */
  private record Arguments(String command, Map<String, String> options, Set<String> flags) {

    boolean has(String option) {
      return options.containsKey(option);
    }

    Path file(String option) {
      return Path.of(options.getOrDefault(option, ""));
    }
  }

  private final PrintStream out;
  private final PrintStream err;
  private final InstantSource clock;

  Signing(PrintStream out, PrintStream err, InstantSource clock) {
    this.out = out;
    this.err = err;
    this.clock = clock;
  }

  public static void main(String[] args) {
    System.exit(new Signing(System.out, System.err, Clock.systemUTC()).run(args));
  }

  int run(String... args) {
    String command = args.length == 0 ? "" : args[0];
    String help = HELP.get(command);
    if (help == null) {
      err.println("usage: keygen | sign | verify, each with --help");
      return BAD_USAGE;
    }
    if (List.of(args).contains("--help")) {
      out.print(help);
      return DONE;
    }
    Arguments arguments = parse(args);
    if (arguments == null) {
      err.print(help);
      return BAD_USAGE;
    }
    try {
      return switch (command) {
        case "keygen" -> keygen(arguments);
        case "sign" -> sign(arguments);
        default -> verify(arguments);
      };
    } catch (FileAlreadyExistsException there) {
      err.println("aion " + command + ": " + there.getFile() + " is there already");
      return BAD_USAGE;
    } catch (IOException | GeneralSecurityException unusable) {
      err.println("aion " + command + ": " + reason(unusable));
      return BAD_USAGE;
    }
  }

  private static String reason(Exception failed) {
    return failed instanceof java.nio.file.NoSuchFileException absent
        ? "no file " + absent.getFile()
        : String.valueOf(failed.getMessage());
  }

  private static @Nullable Arguments parse(String[] args) {
    Map<String, String> options = new LinkedHashMap<>();
    Set<String> flags = new TreeSet<>();
    Deque<String> left = new ArrayDeque<>(List.of(args));
    String command = left.remove();
    while (!left.isEmpty()) {
      String option = left.remove();
      if (flagsOf(command).contains(option)) {
        flags.add(option);
      } else if (!optionsOf(command).contains(option) || left.isEmpty()) {
        return null;
      } else {
        options.put(option, left.remove());
      }
    }
    boolean whole = options.keySet().containsAll(needed(command));
    boolean oneSource = options.containsKey("--key") != options.containsKey("--trust");
    boolean oneThing = options.containsKey("--jar") != options.containsKey("--manifest");
    return whole
            && (!command.equals("verify") || oneSource)
            && (!command.equals("sign") || oneThing)
        ? new Arguments(command, options, flags)
        : null;
  }

  private static Set<String> flagsOf(String command) {
    return switch (command) {
      case "keygen" -> Set.of("--ed25519");
      case "verify" -> Set.of("--json");
      default -> Set.of();
    };
  }

  private static Set<String> optionsOf(String command) {
    return switch (command) {
      case "keygen" -> Set.of("--out");
      case "sign" -> Set.of("--key", "--key-id", "--jar", "--manifest", "--sbom");
      default -> Set.of("--jar", "--signature", "--key", "--trust", "--sbom");
    };
  }

  private static Set<String> needed(String command) {
    return switch (command) {
      case "keygen" -> Set.of("--out");
      case "sign" -> Set.of("--key");
      default -> Set.of("--jar");
    };
  }

  private int keygen(Arguments arguments) throws IOException, GeneralSecurityException {
    KeyPairGenerator generator;
    if (arguments.flags().contains("--ed25519")) {
      generator = KeyPairGenerator.getInstance("Ed25519");
    } else {
      generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
    }
    Path folder = Files.createDirectories(arguments.file("--out"));
    Path secret = folder.resolve(PRIVATE_FILE);
    Path shown = folder.resolve(PUBLIC_FILE);
    for (Path file : List.of(secret, shown)) {
      if (Files.exists(file)) {
        throw new FileAlreadyExistsException(file.toString());
      }
    }
    KeyPair pair = generator.generateKeyPair();
    WholeFile.writeSecret(secret, Pem.write(pair.getPrivate()).getBytes(UTF_8));
    WholeFile.write(shown, Pem.write(pair.getPublic()).getBytes(UTF_8));
    out.println("private key  " + secret + "   keep it, and keep it secret");
    out.println("public key   " + shown + "   give it to operators, with the id");
    out.println("key id       " + VendorKey.fingerprint(pair.getPublic()));
    return DONE;
  }

  private int sign(Arguments arguments) throws IOException, GeneralSecurityException {
    if (arguments.has("--manifest")) {
      return signManifest(arguments);
    }
    PrivateKey key = Pem.privateKey(Files.readString(arguments.file("--key"), UTF_8));
    Path file = arguments.file("--jar");
    ToolJar jar;
    try {
      jar = ToolJar.read(Files.readAllBytes(file), JAR_BYTES_MAX);
    } catch (Refused refused) {
      err.println("aion sign: " + file + " is " + refused.problem().message());
      return REFUSED;
    }
    String id = keyId(arguments);
    Statement statement =
        Statement.of(jar, String.valueOf(file.getFileName()), sbomDigest(arguments, jar));
    if (statement.namesOtherSbom(jar)) {
      err.println("aion sign: " + file + " brings another bill of materials");
      return REFUSED;
    }
    Path signature = Path.of(file + Sealed.BUNDLE_SUFFIX);
    WholeFile.write(signature, Sealed.sign(statement, id, key));
    out.println("signed       " + jar.manifest().nameAndVersion() + ", tier " + statement.tier());
    out.println("permissions  " + String.join(" ", new TreeSet<>(statement.needs())));
    out.println("digest       " + jar.digest());
    out.println("key id       " + id);
    out.println("signature    " + signature);
    return DONE;
  }

  private int signManifest(Arguments arguments) throws IOException, GeneralSecurityException {
    PrivateKey key = Pem.privateKey(Files.readString(arguments.file("--key"), UTF_8));
    Path file = arguments.file("--manifest");
    AgentStatement statement;
    try {
      statement = AgentStatement.of(Files.readAllBytes(file));
    } catch (InvalidDocument invalid) {
      err.println("aion sign: " + file + " is no agent's manifest: " + invalid.describe());
      return REFUSED;
    }
    String id = keyId(arguments);
    Path signature = Path.of(file + Sealed.BUNDLE_SUFFIX);
    byte[] payload = statement.json(String.valueOf(file.getFileName()));
    WholeFile.write(signature, Sealed.sign(payload, id, key));
    out.println("signed       the agent " + statement.agent() + " " + statement.version());
    out.println("permissions  " + String.join(" ", new TreeSet<>(statement.capabilities())));
    out.println("digest       " + statement.digest());
    out.println("key id       " + id);
    out.println("signature    " + signature);
    return DONE;
  }

  private static String keyId(Arguments arguments) throws IOException, GeneralSecurityException {
    String id = arguments.options().get("--key-id");
    return id == null ? VendorKey.fingerprint(publicHalf(arguments.file("--key"))) : id;
  }

  /** The JDK cannot compute it from the private half, so it is looked for where keygen put it. */
  private static PublicKey publicHalf(Path secret) throws IOException, GeneralSecurityException {
    String name = String.valueOf(secret.getFileName());
    String shown = name.endsWith(".pem") ? name.substring(0, name.length() - 4) : name;
    Path file = secret.resolveSibling(shown + ".pub.pem");
    if (!Files.exists(file)) {
      throw new GeneralSecurityException(
          "there is no " + file + " to take the key's id from; give it as --key-id");
    }
    PublicKey key = Pem.publicKey(Files.readString(file, UTF_8));
    PrivateKey own = Pem.privateKey(Files.readString(secret, UTF_8));
    if (key instanceof ECKey != own instanceof ECKey || !belong(own, key)) {
      throw new GeneralSecurityException(file + " is not the public half of " + secret);
    }
    return key;
  }

  private static boolean belong(PrivateKey secret, PublicKey shown)
      throws GeneralSecurityException {
    byte[] probe = "probe".getBytes(UTF_8);
    java.security.Signature maker =
        java.security.Signature.getInstance(VendorKey.algorithm(shown.getAlgorithm()));
    maker.initSign(secret);
    maker.update(probe);
    return new VendorKey("", "", shown, null, null, null).made(maker.sign(), probe);
  }

  /** The one that is named, or the one in the jar, if it brings one. */
  private static @Nullable String sbomDigest(Arguments arguments, ToolJar jar) throws IOException {
    return arguments.has("--sbom") || jar.sbomDigests().size() != 1
        ? sbomDigest(arguments)
        : jar.sbomDigests().iterator().next();
  }

  private static @Nullable String sbomDigest(Arguments arguments) throws IOException {
    return arguments.has("--sbom")
        ? ToolJar.digestOf(Files.readAllBytes(arguments.file("--sbom")))
        : null;
  }

  private int verify(Arguments arguments) throws IOException, GeneralSecurityException {
    Path file = arguments.file("--jar");
    byte[] bytes = Files.readAllBytes(file);
    byte[] signature = Files.readAllBytes(signatureOf(arguments, file));
    Findings findings;
    try {
      findings = findings(arguments, ToolJar.read(bytes, JAR_BYTES_MAX), signature);
    } catch (Refused refused) {
      findings = new Findings(null, null, refused.problem());
    }
    if (arguments.flags().contains("--json")) {
      out.println(new String(Documents.write(findings.json()), UTF_8));
    } else {
      findings.print(out);
    }
    return findings.refusal() == null ? DONE : REFUSED;
  }

  private static Path signatureOf(Arguments arguments, Path jar) {
    if (arguments.has("--signature")) {
      return arguments.file("--signature");
    }
    Path bare = Path.of(jar + Sealed.BARE_SUFFIX);
    Path bundle = Path.of(jar + Sealed.BUNDLE_SUFFIX);
    return Files.exists(bundle) || !Files.exists(bare) ? bundle : bare;
  }

  private Findings findings(Arguments arguments, ToolJar jar, byte[] signature)
      throws IOException, GeneralSecurityException {
    if (arguments.has("--trust") && !Files.isDirectory(arguments.file("--trust"))) {
      throw new IOException("no folder " + arguments.file("--trust"));
    }
    Admission admission =
        arguments.has("--key")
            ? byKey(Pem.publicKey(Files.readString(arguments.file("--key"), UTF_8)), signature, jar)
            : new Admission(
                () -> Vendors.read(arguments.file("--trust")), digest -> false, true, clock);
    Ruling ruling = admission.rule(jar, signature);
    Problem refusal = ruling.problem();
    if (refusal == null && arguments.has("--sbom")) {
      refusal = sbomRefusal(jar, signature, sbomDigest(arguments));
    }
    return new Findings(jar, ruling.signer(), refusal);
  }

  /** Trusts one key with everything, under whatever id the signature gives it. */
  private Admission byKey(PublicKey key, byte[] signature, ToolJar jar) {
    String id = VendorKey.fingerprint(key);
    try {
      String said = Sealed.read(signature, jar.bytes()).keyId();
      id = said == null ? id : said;
    } catch (InvalidDocument saidByTheRuling) {
      id = VendorKey.fingerprint(key);
    }
    Vendors one =
        new Vendors(
            Map.of(
                "given-key",
                new Vendor(
                    "given-key",
                    List.of(new VendorKey("given-key", id, key, null, null, null)),
                    Set.of("*"),
                    Set.of(jar.manifest().tier()),
                    Set.of(),
                    Map.of(),
                    Set.of())));
    return new Admission(() -> one, digest -> false, true, clock);
  }

  private static @Nullable Problem sbomRefusal(
      ToolJar jar, byte[] signature, @Nullable String digest) {
    String signed = null;
    try {
      byte[] payload = Sealed.read(signature, jar.bytes()).payload();
      signed = payload == null ? null : Statement.read(payload).sbomDigest();
    } catch (InvalidDocument impossible) {
      throw new IllegalStateException("it was read a moment ago", impossible);
    }
    return digest != null && digest.equals(signed)
        ? null
        : Problem.of(
                org.aionos.kernel.Code.TOOL_NOT_TRUSTED,
                signed == null
                    ? "the signature names no bill of materials"
                    : "the signature is over another bill of materials")
            .ruledBy(Reason.STATEMENT_MISMATCH.rule());
  }

  /** What a verification found. */
  private record Findings(
      @Nullable ToolJar jar, @Nullable Signer signer, @Nullable Problem refusal) {

    Map<String, @Nullable Object> json() {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      values.put("verified", refusal == null);
      if (jar != null) {
        values.put("tool", jar.manifest().name());
        values.put("version", jar.manifest().version());
        values.put("tier", jar.manifest().tier());
        values.put("capabilities_required", List.copyOf(new TreeSet<>(jar.manifest().needs())));
        values.put("digest", jar.digest());
      }
      values.put("vendor", signer == null ? null : signer.vendor());
      values.put("key", signer == null ? null : signer.key());
      values.put("rule", refusal == null ? null : refusal.rule());
      values.put("why", refusal == null ? null : refusal.message());
      return values;
    }

    void print(PrintStream out) {
      if (jar != null) {
        out.println(
            "tool         " + jar.manifest().nameAndVersion() + ", tier " + jar.manifest().tier());
        out.println("permissions  " + String.join(" ", new TreeSet<>(jar.manifest().needs())));
        out.println("digest       " + jar.digest());
      }
      if (signer != null) {
        out.println("signed by    " + signer.vendor() + ", key " + signer.key());
      }
      out.println(
          refusal == null
              ? "verified"
              : "NOT VERIFIED " + refusal.message() + " (" + refusal.rule() + ")");
    }
  }
}
