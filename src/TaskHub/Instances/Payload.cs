using System.Text.Json;
using System.Text.Json.Serialization;

namespace OllamaMax.TaskHub.Instances;

/// <summary>An input, an output or whatever else orchestrations pass around, as JSON text.</summary>
/// <param name="Text">Null only between reading a record and fetching its blobs.</param>
/// <param name="Blob">Name of the blob that has the text; null: it stands in the record itself.</param>
[JsonConverter(typeof(PayloadConverter))]
internal sealed record Payload(string? Text, string? Blob = null);

/// <summary>A string, or <c>{"blob":name}</c>.</summary>
internal sealed class PayloadConverter : JsonConverter<Payload>
{
    private const string Blob = "blob";

    public override Payload Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
            return new(reader.GetString());
        string? name = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (reader.TokenType == JsonTokenType.String)
                name = reader.GetString();
        }
        return new(null, name ?? throw new JsonException("a payload without text and without blob"));
    }

    public override void Write(Utf8JsonWriter writer, Payload value, JsonSerializerOptions options)
    {
        if (value.Blob is not { } name)
        {
            writer.WriteStringValue(value.Text);
            return;
        }
        writer.WriteStartObject();
        writer.WriteString(Blob, name);
        writer.WriteEndObject();
    }
}
