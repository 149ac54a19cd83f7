using System.Text.Json;
using System.Text.Json.Serialization;

namespace OllamaMax.Jobs;

/// <summary>Forms by their names. One that a newer program knows is <see cref="ToolCallForm.None"/> here: the job still runs.</summary>
internal sealed class ToolCallFormConverter : JsonConverter<ToolCallForm>
{
    public override ToolCallForm Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Enum.TryParse(reader.GetString(), out ToolCallForm form) && Enum.IsDefined(form) ? form : ToolCallForm.None;

    public override void Write(Utf8JsonWriter writer, ToolCallForm value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
