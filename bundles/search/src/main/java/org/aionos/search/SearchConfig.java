package org.aionos.search;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION document search")
@interface SearchConfig {

  @AttributeDefinition(
      name = "Documents",
      description =
          "Folder of .md, .txt and .html files, read at the first search; empty: the documents that"
              + " come with the kernel")
  String documentsDir() default "";
}
