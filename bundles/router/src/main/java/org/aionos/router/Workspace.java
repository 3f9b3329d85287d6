package org.aionos.router;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.aionos.files.WholeFile;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolFailure.Code;

/**
 * The files of one agent, below one folder that its paths cannot leave: no absolute paths, no
 * {@code ..}, no links. Nothing in the kernel ever makes a link here, and tools of the trusted tier
 * are the only code that could.
 */
final class Workspace {

  /** Deep enough for any project tree, shallow enough to walk. */
  private static final int DEPTH_MAX = 32;

  private static final int PATH_LENGTH_MAX = 1_024;

  /** What one agent may keep. */
  record Limits(long bytesMax, int filesMax, int fileBytesMax) {}

  private final Path root;
  private final Limits limits;

  Workspace(Path root, Limits limits) {
    this.root = root;
    this.limits = limits;
  }

  String readText(String path) throws ToolFailure {
    Path file = resolve(path);
    try {
      BasicFileAttributes attributes = attributes(file, path);
      if (!attributes.isRegularFile()) {
        throw new ToolFailure(Code.BAD_ARGUMENT, "'" + path + "' is not a file");
      }
      if (attributes.size() > limits.fileBytesMax()) {
        throw tooLarge(path);
      }
      try (InputStream in = Files.newInputStream(file, NOFOLLOW_LINKS)) {
        return text(in.readNBytes(limits.fileBytesMax()), path);
      }
    } catch (IOException unreadable) {
      throw new ToolFailure(Code.NOT_FOUND, "'" + path + "' cannot be read");
    }
  }

  synchronized void writeText(String path, String text) throws ToolFailure {
    Path file = resolve(path);
    byte[] bytes = text.getBytes(UTF_8);
    if (bytes.length > limits.fileBytesMax()) {
      throw tooLarge(path);
    }
    try {
      if (Files.isDirectory(file, NOFOLLOW_LINKS)) {
        throw new ToolFailure(Code.BAD_ARGUMENT, "'" + path + "' is a folder");
      }
      checkRoomFor(file, bytes.length);
      WholeFile.write(file, bytes);
    } catch (IOException unwritable) {
      throw new ToolFailure(Code.NOT_PERMITTED, "'" + path + "' cannot be written");
    }
  }

  List<String> list(String path) throws ToolFailure {
    boolean whole = path.isEmpty() || path.equals(".") || path.equals("/");
    Path folder = whole ? root : resolve(path);
    List<String> names = new ArrayList<>();
    if (whole && !Files.exists(root, NOFOLLOW_LINKS)) {
      return names;
    }
    try {
      if (!attributes(folder, path).isDirectory()) {
        throw new ToolFailure(Code.BAD_ARGUMENT, "'" + path + "' is not a folder");
      }
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
        for (Path entry : entries) {
          String name = entry.getFileName().toString();
          names.add(Files.isDirectory(entry, NOFOLLOW_LINKS) ? name + "/" : name);
        }
      }
    } catch (IOException unreadable) {
      throw new ToolFailure(Code.NOT_FOUND, "'" + path + "' cannot be read");
    }
    names.sort(null);
    return names;
  }

  private static BasicFileAttributes attributes(Path file, String path)
      throws IOException, ToolFailure {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class, NOFOLLOW_LINKS);
    } catch (java.nio.file.NoSuchFileException missing) {
      throw new ToolFailure(Code.NOT_FOUND, "no '" + path + "' in the workspace");
    }
  }

  private void checkRoomFor(Path file, int bytes) throws IOException, ToolFailure {
    long[] used = new long[2];
    if (Files.exists(root, NOFOLLOW_LINKS)) {
      Files.walkFileTree(
          root,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path each, BasicFileAttributes attributes) {
              used[0] += each.equals(file) ? 0 : attributes.size();
              used[1]++;
              return FileVisitResult.CONTINUE;
            }
          });
    }
    if (used[0] + bytes > limits.bytesMax()) {
      throw new ToolFailure(
          Code.TOO_LARGE, "the workspace holds at most " + limits.bytesMax() + " bytes");
    }
    if (used[1] >= limits.filesMax() && !Files.exists(file, NOFOLLOW_LINKS)) {
      throw new ToolFailure(
          Code.TOO_LARGE, "the workspace holds at most " + limits.filesMax() + " files");
    }
  }

  private Path resolve(String path) throws ToolFailure {
    if (path.isEmpty() || path.length() > PATH_LENGTH_MAX || path.indexOf('\0') >= 0) {
      throw new ToolFailure(
          Code.BAD_ARGUMENT, "a path has 1 to " + PATH_LENGTH_MAX + " characters and no NUL");
    }
    Path relative = Path.of(path);
    if (relative.isAbsolute() || relative.getNameCount() > DEPTH_MAX) {
      throw new ToolFailure(
          Code.BAD_ARGUMENT, "a path is relative and at most " + DEPTH_MAX + " folders deep");
    }
    Path reached = root;
    for (Path name : relative) {
      if (name.toString().equals("..")
          || name.toString().equals(".")
          || name.toString().isEmpty()) {
        throw new ToolFailure(Code.BAD_ARGUMENT, "a path may not contain '..' or '.'");
      }
      reached = reached.resolve(name);
      if (Files.isSymbolicLink(reached)) {
        throw new ToolFailure(Code.NOT_PERMITTED, "'" + path + "' goes through a link");
      }
    }
    return reached;
  }

  private ToolFailure tooLarge(String path) {
    return new ToolFailure(
        Code.TOO_LARGE, "'" + path + "' exceeds " + limits.fileBytesMax() + " bytes");
  }

  private static String text(byte[] bytes, String path) throws ToolFailure {
    try {
      return UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes))
          .toString();
    } catch (CharacterCodingException notText) {
      throw new ToolFailure(Code.BAD_ARGUMENT, "'" + path + "' is not UTF-8 text");
    }
  }
}
