// Stands in for javax.annotation-api, which the generated code marks its classes with.
package javax.annotation;

public @interface Generated {
  String[] value();

  String comments() default "";
}
