package org.aionos.embedding;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

@ObjectClassDefinition(name = "AION embedding")
@interface EmbeddingConfig {

  @AttributeDefinition(
      name = "Model",
      options = {
        @Option(label = "bge-small-en-v1.5, which comes with the kernel", value = "bundled"),
        @Option(label = "an ONNX model in a folder", value = "folder"),
        @Option(label = "a server with /v1/embeddings", value = "server"),
        @Option(label = "texts are found by their words alone", value = "none")
      },
      description = "Where vectors of texts come from")
  String model() default "bundled";

  @AttributeDefinition(
      name = "Folder",
      description = "Holds model.onnx and its tokenizer.json, of the WordPiece kind")
  String folder() default "";

  @AttributeDefinition(
      name = "Pooling",
      options = {@Option("cls"), @Option("mean")},
      description = "How the model of the folder makes one vector of many")
  String pooling() default "mean";

  @AttributeDefinition(name = "Server", description = "For example http://127.0.0.1:11434/v1")
  String serverUrl() default "";

  @AttributeDefinition(name = "Model of the server", description = "The name it has there")
  String serverModel() default "";

  @AttributeDefinition(
      name = "Key of the server",
      description = "Names the environment variable that holds its API key; empty for none")
  String serverKeyVariable() default "";

  @AttributeDefinition(
      name = "Time of the server",
      min = "100",
      max = "60000",
      description = "Milliseconds for one answer of the server")
  int serverMillisMax() default 5_000;

  @AttributeDefinition(
      name = "Prefix of what is looked for",
      description = "Some models of a folder or server want one, for example 'query: '")
  String probePrefix() default "";

  @AttributeDefinition(name = "Prefix of what is stored", description = "Likewise")
  String textPrefix() default "";

  @AttributeDefinition(
      name = "Languages",
      options = {@Option("latin"), @Option("all")},
      description =
          "The scripts that the model of a folder or server knows; other texts are found by words")
  String scripts() default "all";

  @AttributeDefinition(
      name = "Threads",
      min = "1",
      max = "64",
      description = "Texts that are embedded at once, each by one core")
  int threads() default 2;

  @AttributeDefinition(
      name = "Tokens",
      min = "16",
      max = "512",
      description = "Pieces of words that are read of a text; the rest is cut off")
  int tokensMax() default 256;
}
