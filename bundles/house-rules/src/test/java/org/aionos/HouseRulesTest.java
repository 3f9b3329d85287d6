package org.aionos;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.time.Instant;
import java.util.Random;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Decision;

@AnalyzeClasses(packages = "org.aionos", importOptions = DoNotIncludeTests.class)
final class HouseRulesTest {

  private static final String[] LIBRARIES = {
    "org.aionos.kernel..",
    "org.aionos.tool..",
    "org.aionos.dialogue..",
    "org.aionos.words..",
    "org.aionos.items..",
    "org.aionos.scheduling..",
    "org.aionos.policies..",
    "org.aionos.drivers..",
    "org.aionos.tasks..",
    "org.aionos.document..",
    "org.aionos.files..",
    "org.aionos.gate..",
    "org.aionos.manifest.."
  };

  @ArchTest
  static final ArchRule tool_api_knows_only_the_jdk =
      classes()
          .that()
          .resideInAPackage("org.aionos.tool")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "org.aionos.tool",
              "org.osgi.annotation..",
              "org.osgi.service.component.annotations",
              "org.jspecify..");

  @ArchTest
  static final ArchRule kernel_bundles_are_a_star_and_not_a_web =
      SlicesRuleDefinition.slices()
          .matching("org.aionos.(*)..")
          .should()
          .notDependOnEachOther()
          .ignoreDependency(
              not(resideInAPackage("nowhere")),
              com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage(LIBRARIES));

  /** The gate is there before the first bundle, so nobody can wire it. */
  @ArchTest
  static final ArchRule nobody_wires_services_by_hand =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.aionos.gate")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("org.osgi.framework.BundleActivator")
          .orShould()
          .dependOnClassesThat()
          .haveNameMatching("org\\.osgi\\.util\\.tracker\\.ServiceTracker.*");

  @ArchTest
  static final ArchRule only_policy_gives_leave =
      noClasses()
          .that()
          .resideOutsideOfPackages("org.aionos.policies", "org.aionos.kernel")
          .should()
          .callConstructorWhere(
              com.tngtech.archunit.core.domain.JavaCall.Predicates.target(
                  com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner(
                      com.tngtech.archunit.core.domain.JavaClass.Predicates.type(
                          Decision.Allow.class))));

  @ArchTest
  static final ArchRule only_the_journal_says_what_was_asked =
      noClasses()
          .that()
          .resideOutsideOfPackages("org.aionos.journal", "org.aionos.kernel")
          .should()
          .callConstructorWhere(
              com.tngtech.archunit.core.domain.JavaCall.Predicates.target(
                  com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner(
                      com.tngtech.archunit.core.domain.JavaClass.Predicates.type(Asked.class))));

  @ArchTest
  static final ArchRule names_say_what_a_class_is =
      noClasses().should().haveNameMatching(".*(Util|Utils|Helper|Manager|Impl|Data|Info)");

  @ArchTest
  static final ArchRule time_and_chance_come_in_through_the_constructor =
      noClasses()
          .should()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .callMethod(Instant.class, "now")
          .orShould()
          .callConstructor(Random.class)
          .orShould()
          .callMethod(Math.class, "random");

  @ArchTest
  static final ArchRule nobody_prints_but_the_shell_and_the_programs_without_a_kernel =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.aionos.shell")
          .and()
          .doNotHaveFullyQualifiedName("org.aionos.journal.Verify")
          .and()
          .doNotHaveFullyQualifiedName("org.aionos.trust.Signing")
          .should()
          .accessField(System.class, "out")
          .orShould()
          .accessField(System.class, "err");
}
