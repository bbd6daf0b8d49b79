// Teaches Jackson JsonNullable: undefined is left out, null is written as null, a value as itself.
package org.openapitools.jackson.nullable;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.BeanProperty;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializationConfig;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.ContextualDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.BeanPropertyWriter;
import com.fasterxml.jackson.databind.ser.BeanSerializerModifier;
import java.io.IOException;
import java.util.List;

@SuppressWarnings("rawtypes")
public final class JsonNullableModule extends SimpleModule {
  public JsonNullableModule() {
    addSerializer(JsonNullable.class, new Writer());
    addDeserializer(JsonNullable.class, new Reader(null));
    setSerializerModifier(new LeavesUndefinedOut());
  }

  private static final class Writer extends JsonSerializer<JsonNullable> {
    @Override
    public void serialize(JsonNullable field, JsonGenerator out, SerializerProvider provider) throws IOException {
      provider.defaultSerializeValue(field.orElse(null), out);
    }
  }

  private static final class Reader extends JsonDeserializer<JsonNullable> implements ContextualDeserializer {
    private final JavaType type;

    Reader(JavaType type) {
      this.type = type;
    }

    @Override
    public JsonDeserializer<?> createContextual(DeserializationContext context, BeanProperty property) {
      return new Reader(context.getContextualType().containedTypeOrUnknown(0));
    }

    @Override
    public JsonNullable deserialize(JsonParser in, DeserializationContext context) throws IOException {
      return JsonNullable.of(context.readValue(in, type));
    }

    @Override
    public JsonNullable getNullValue(DeserializationContext context) {
      return JsonNullable.of(null);
    }
  }

  private static final class LeavesUndefinedOut extends BeanSerializerModifier {
    @Override
    public List<BeanPropertyWriter> changeProperties(
        SerializationConfig config, BeanDescription bean, List<BeanPropertyWriter> writers) {
      writers.replaceAll(w -> w.getType().hasRawClass(JsonNullable.class) ? new Field(w) : w);
      return writers;
    }
  }

  private static final class Field extends BeanPropertyWriter {
    Field(BeanPropertyWriter writer) {
      super(writer);
    }

    @Override
    public void serializeAsField(Object bean, JsonGenerator out, SerializerProvider provider) throws Exception {
      if (get(bean) instanceof JsonNullable field && field.isPresent()) {
        super.serializeAsField(bean, out, provider);
      }
    }
  }
}
