using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenAI;

/// <summary>The field <c>content</c>: a string, or an array of parts, of which texts are understood, by the names that both APIs have for them.</summary>
internal static class ContentField
{
    /// <summary>Parts of text are lines; none are empty text.</summary>
    public static string Read(JsonFields message, string name = "content")
    {
        switch (message.Find(name))
        {
            case null:
                return "";
            case { ValueKind: JsonValueKind.String }:
                return message.Text(name) ?? "";
            case { ValueKind: JsonValueKind.Array }:
                return string.Join('\n', message.Objects(name).Select(ReadPart));
            default:
                message.Errors.Add(message.PathOf(name), "must be a string or an array of parts");
                return "";
        }
    }

    private static string ReadPart(JsonFields part)
    {
        switch (part.Text("type"))
        {
            case "text" or "input_text" or "output_text" or "reasoning_text" or "summary_text":
                return part.Text("text") ?? Missing(part, "text");
            case "refusal":
                return part.Text("refusal") ?? Missing(part, "refusal");
            case { } type and ("image_url" or "input_audio" or "file" or "input_image" or "input_file"):
                part.Errors.Add(part.PathOf("type"), $"\"{type}\" is not supported by this server yet: models read text");
                return "";
            default:
                part.Errors.Add(part.PathOf("type"), "must be \"text\"");
                return "";
        }
    }

    private static string Missing(JsonFields part, string name)
    {
        part.Errors.Add(part.PathOf(name), "is required");
        return "";
    }
}
