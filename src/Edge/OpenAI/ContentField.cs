using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.OpenAI;

/// <summary>The field <c>content</c>: a string, or an array of parts, of which texts are understood, by the names that both APIs have for them.</summary>
internal static class ContentField
{
    /// <summary>Parts of text are lines; none are empty text.</summary>
    /// <param name="isResult">It is a tool's: what is no text in it is said to be left out, not refused.</param>
    public static string Read(JsonFields message, string name = "content", bool isResult = false)
    {
        switch (message.Find(name))
        {
            case null:
                return "";
            case { ValueKind: JsonValueKind.String }:
                return message.Text(name) ?? "";
            case { ValueKind: JsonValueKind.Array }:
                return string.Join('\n', message.Objects(name).Select(part => (isResult ? Left(part) : null) ?? ReadPart(part)));
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

    private static string? Left(JsonFields part) => part.Text("type") switch
    {
        "image_url" or "input_image" => LeftOut.Image,
        "file" or "input_file" => LeftOut.File,
        "input_audio" => LeftOut.Audio,
        _ => null,
    };

    private static string Missing(JsonFields part, string name)
    {
        part.Errors.Add(part.PathOf(name), "is required");
        return "";
    }
}
