using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OllamaMax.Models;

[JsonSerializable(typeof(ModelManifest))]
[JsonSerializable(typeof(ModelConfig))]
[JsonSerializable(typeof(ModelChunks))]
internal sealed partial class ModelJson : JsonSerializerContext
{
    /// <summary>For blobs, which no browser reads: '+' and letters beyond ASCII stay as they are.</summary>
    public static ModelJson Blob { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
