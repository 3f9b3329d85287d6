package org.aionos.embedding;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.function.UnaryOperator;
import org.aionos.document.InvalidDocument;
import org.aionos.files.NativeFolder;
import org.aionos.kernel.memory.Embedder;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedder that is configured. A model is loaded when the first text comes: it takes a third of
 * a second and some 100 MB that most kernels never need.
 */
@Component(
    service = Embedder.class,
    configurationPid = "org.aionos.embedding",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = EmbeddingConfig.class)
public final class TextEmbedder implements Embedder {

  /** For who wants no vectors: nothing is known, so nothing is embedded. */
  static final String NONE = "none";

  private static final Logger log = LoggerFactory.getLogger(TextEmbedder.class);

  private static final String BUNDLED = "bge-small-en-v1.5-q";

  /** As its authors want it before what is looked for. */
  private static final String BUNDLED_PROBE =
      "Represent this sentence for searching relevant passages: ";

  private final EmbeddingConfig config;
  private final Path state;
  private final String life;
  private final String identity;
  private final @Nullable EmbeddingServer server;

  /** Guarded by this. */
  private @Nullable OnnxModel model;

  private boolean closed;

  @Activate
  public TextEmbedder(EmbeddingConfig config, BundleContext context) throws IOException {
    this(
        config,
        Path.of(String.valueOf(context.getProperty("aion.state")), "embedding"),
        ProcessHandle.current().pid() + "-" + Long.toHexString(System.nanoTime()),
        System::getenv);
  }

  TextEmbedder(
      EmbeddingConfig config, Path state, String life, UnaryOperator<@Nullable String> environment)
      throws IOException {
    this.config = config;
    this.state = state;
    this.life = life;
    this.server =
        config.model().equals("server")
            ? new EmbeddingServer(
                URI.create(config.serverUrl()),
                config.serverModel(),
                environment.apply(config.serverKeyVariable()),
                config.serverMillisMax())
            : null;
    this.identity =
        switch (config.model()) {
          case "bundled" -> BUNDLED;
          case "folder" -> "folder-" + digest(Path.of(config.folder(), "model.onnx"));
          case "server" -> "server-" + config.serverModel();
          default -> NONE;
        };
  }

  private static String digest(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        sha256.update(buffer, 0, read);
      }
      return HexFormat.of().formatHex(sha256.digest(), 0, 8);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public String identity() {
    return identity;
  }

  @Override
  public boolean knows(String text) {
    return switch (config.model()) {
      case NONE -> false;
      case "bundled" -> Scripts.isMostlyLatin(text);
      default -> config.scripts().equals("all") || Scripts.isMostlyLatin(text);
    };
  }

  @Override
  public List<Vector> embed(List<String> texts) {
    return vectors(texts.stream().map(text -> config.textPrefix() + text).toList());
  }

  @Override
  public Vector probe(String text) {
    String prefix = config.model().equals("bundled") ? BUNDLED_PROBE : config.probePrefix();
    return vectors(List.of(prefix + text)).get(0);
  }

  private List<Vector> vectors(List<String> texts) {
    return server == null ? loaded().embed(texts) : server.embed(texts);
  }

  private synchronized OnnxModel loaded() {
    if (closed) {
      throw new StoreUnavailable("the embedder is being replaced");
    }
    OnnxModel known = model;
    if (known != null) {
      return known;
    }
    try {
      OnnxModel opened = config.model().equals("folder") ? ofFolder() : bundled();
      log.info("embedding model loaded: model={}", identity);
      model = opened;
      return opened;
    } catch (IOException | InvalidDocument | OrtException unusable) {
      throw new StoreUnavailable("the embedding model cannot be loaded: " + identity, unusable);
    }
  }

  private OnnxModel bundled() throws IOException, InvalidDocument, OrtException {
    NativeFolder folder = runtime();
    Path file = folder.copy(TextEmbedder.class, "/" + BUNDLED + ".onnx", "model.onnx");
    try (InputStream tokenizer =
        TextEmbedder.class.getResourceAsStream("/" + BUNDLED + "-tokenizer.json")) {
      if (tokenizer == null) {
        throw new IOException("the bundled tokenizer is missing");
      }
      return open(file, tokenizer.readAllBytes(), false);
    }
  }

  private OnnxModel ofFolder() throws IOException, InvalidDocument, OrtException {
    runtime();
    Path folder = Path.of(config.folder());
    return open(
        folder.resolve("model.onnx"),
        Files.readAllBytes(folder.resolve("tokenizer.json")),
        config.pooling().equals("mean"));
  }

  private OnnxModel open(Path file, byte[] tokenizer, boolean meanOfAll)
      throws InvalidDocument, OrtException {
    return OnnxModel.open(
        file, WordPiece.read(tokenizer), meanOfAll, config.tokensMax(), config.threads());
  }

  /** ONNX Runtime looks for its libraries where this property says, and unpacks none to /tmp. */
  private NativeFolder runtime() throws IOException {
    NativeFolder folder = NativeFolder.fresh(state.resolve("native"), life);
    String machine = System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x64";
    for (String library : List.of("libonnxruntime.so", "libonnxruntime4j_jni.so")) {
      folder.copy(
          OrtEnvironment.class, "/ai/onnxruntime/native/linux-" + machine + "/" + library, library);
    }
    System.setProperty("onnxruntime.native.path", folder.path().toString());
    return folder;
  }

  @Deactivate
  synchronized void close() throws OrtException {
    closed = true;
    if (model != null) {
      model.close();
    }
  }
}
