package org.aionos.document;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.document.InvalidDocument.Fault;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.DuplicateKeyException;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Reads the part of YAML that JSON could say too, and refuses the rest.
 *
 * <p>The tree of nodes is looked through before any value is made of it: aliases let a few lines
 * stand for billions of values, and a list as a key is hashed as a whole, which takes as long.
 */
final class PlainYaml {

  /**
   * Configuration and manifests are small. The parser's time grows with the square of a token's
   * length: one of this length takes about two seconds, so untrusted text deserves a lower limit.
   */
  private static final int LENGTH_MAX = 1 << 20;

  /** Aliases are a convenience in a manifest, and the tool of the billion-laughs attack. */
  private static final int ALIASES_MAX = 50;

  /** Counted with every alias written out. */
  private static final int NODES_MAX = 100_000;

  private static final Set<Tag> PLAIN =
      Set.of(Tag.STR, Tag.INT, Tag.FLOAT, Tag.BOOL, Tag.NULL, Tag.MERGE, Tag.MAP, Tag.SEQ);

  private int nodes;

  private PlainYaml() {}

  static @Nullable Object read(String text) throws InvalidDocument {
    // The parser's own limit speaks up only once it has read that far, at the pace of long tokens.
    if (text.length() > LENGTH_MAX) {
      throw new InvalidDocument(Fault.MALFORMED, "", "longer than " + LENGTH_MAX + " characters");
    }
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    options.setNestingDepthLimit(Documents.DEPTH_MAX);
    options.setCodePointLimit(LENGTH_MAX);
    options.setMaxAliasesForCollections(ALIASES_MAX);
    try {
      return values(text, options);
    } catch (DuplicateKeyException duplicate) {
      throw new InvalidDocument(Fault.DUPLICATE_KEY, "", firstLines(duplicate));
    } catch (RuntimeException | StackOverflowError malformed) {
      // Besides its own exceptions the parser lets through whatever its number readers throw.
      String why = firstLines(malformed);
      throw why.startsWith("Nesting Depth")
          ? tooDeep()
          : new InvalidDocument(Fault.MALFORMED, "", "not valid YAML: " + why);
    }
  }

  private static @Nullable Object values(String text, LoaderOptions options)
      throws InvalidDocument {
    Values values = new Values(options);
    DumperOptions unused = new DumperOptions();
    Node root =
        new Yaml(values, new Representer(unused), unused, options, new DatesAreText())
            .compose(new StringReader(text));
    if (root == null) {
      return null;
    }
    new PlainYaml().check(root, 1);
    return withTextKeys(values.of(root));
  }

  private void check(Node node, int depth) throws InvalidDocument {
    if (depth > Documents.DEPTH_MAX && !(node instanceof ScalarNode)) {
      throw tooDeep();
    }
    if (++nodes > NODES_MAX) {
      throw malformed(node, "more than " + NODES_MAX + " values");
    }
    if (!PLAIN.contains(node.getTag())) {
      throw malformed(node, "the tag " + node.getTag() + " is not known here");
    }
    if (node instanceof MappingNode mapping) {
      for (NodeTuple field : mapping.getValue()) {
        checkKey(field.getKeyNode());
        check(field.getValueNode(), depth + 1);
      }
    } else if (node instanceof SequenceNode list) {
      for (Node item : list.getValue()) {
        check(item, depth + 1);
      }
    } else if (node instanceof ScalarNode scalar) {
      checkNumber(scalar);
    }
  }

  private void checkKey(Node key) throws InvalidDocument {
    if (!(key instanceof ScalarNode)) {
      throw malformed(key, "a key must be text");
    }
    check(key, 1);
  }

  /** The time to read a number grows with the square of its length. */
  private static void checkNumber(ScalarNode scalar) throws InvalidDocument {
    boolean number = scalar.getTag().equals(Tag.INT) || scalar.getTag().equals(Tag.FLOAT);
    if (number && scalar.getValue().length() > Documents.NUMBER_LENGTH_MAX) {
      throw malformed(
          scalar, "a number of more than " + Documents.NUMBER_LENGTH_MAX + " characters");
    }
  }

  /** JSON knows text keys only, so {@code 1} and {@code "1"} are one key. */
  private static @Nullable Object withTextKeys(@Nullable Object value) throws InvalidDocument {
    if (value instanceof List<?> list) {
      List<@Nullable Object> items = new ArrayList<>(list.size());
      for (Object item : list) {
        items.add(withTextKeys(item));
      }
      return items;
    }
    if (!(value instanceof Map<?, ?> map)) {
      return value;
    }
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    for (Map.Entry<?, ?> field : map.entrySet()) {
      String key = String.valueOf(field.getKey());
      if (fields.containsKey(key)) {
        throw new InvalidDocument(Fault.DUPLICATE_KEY, "", "duplicate key '" + key + "'");
      }
      fields.put(key, withTextKeys(field.getValue()));
    }
    return fields;
  }

  private static InvalidDocument tooDeep() {
    return new InvalidDocument(
        Fault.TOO_DEEP, "", "nested deeper than " + Documents.DEPTH_MAX + " levels");
  }

  private static InvalidDocument malformed(Node node, String why) {
    int line = node.getStartMark().getLine() + 1;
    return new InvalidDocument(Fault.MALFORMED, "", "not plain YAML at line " + line + ": " + why);
  }

  private static String firstLines(Throwable problem) {
    String message = String.valueOf(problem.getMessage());
    return message.lines().limit(3).reduce((a, b) -> a + "; " + b.strip()).orElse("");
  }

  /** Makes values of nodes. */
  private static final class Values extends SafeConstructor {

    Values(LoaderOptions options) {
      super(options);
    }

    @Nullable Object of(Node root) {
      return constructDocument(root);
    }
  }

  /** Reads {@code 2026-01-31} as the text that it is in JSON. */
  private static final class DatesAreText extends Resolver {

    @Override
    protected void addImplicitResolvers() {
      addImplicitResolver(Tag.BOOL, BOOL, "yYnNtTfFoO");
      addImplicitResolver(Tag.INT, INT, "-+0123456789");
      addImplicitResolver(Tag.FLOAT, FLOAT, "-+0123456789.");
      addImplicitResolver(Tag.MERGE, MERGE, "<");
      addImplicitResolver(Tag.NULL, NULL, "~nN\0");
      addImplicitResolver(Tag.NULL, EMPTY, null);
    }
  }
}
