using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>The field <c>content</c>: a string, or an array of parts, of which texts and images are understood, by the names that both APIs have for them.</summary>
internal static class ContentField
{
    /// <summary>The text alone, for what has no images.</summary>
    public static string ReadText(JsonFields message, string name = "content") => Read(message, name, ReadTextPart).Text;

    /// <summary>Of a user's message.</summary>
    public static ContentParts ReadUser(JsonFields message) => Read(message, "content", ReadUserPart);

    /// <summary>Of a tool's result: what cannot be read in it is said to be left out, not refused.</summary>
    public static ContentParts ReadResult(JsonFields message, string name = "content") => Read(message, name, ReadResultPart);

    private static ContentParts Read(JsonFields message, string name, Action<JsonFields, ContentParts> readPart)
    {
        ContentParts parts = new();
        switch (message.Find(name))
        {
            case null:
                break;
            case { ValueKind: JsonValueKind.String }:
                parts.Add(message.Text(name) ?? "");
                break;
            case { ValueKind: JsonValueKind.Array }:
                foreach (JsonFields part in message.Objects(name))
                    readPart(part, parts);
                break;
            default:
                message.Errors.Add(message.PathOf(name), "must be a string or an array of parts");
                break;
        }
        return parts;
    }

    private static void ReadTextPart(JsonFields part, ContentParts parts)
    {
        switch (part.Text("type"))
        {
            case "text" or "input_text" or "output_text" or "reasoning_text" or "summary_text":
                parts.Add(part.Text("text") ?? Missing(part, "text"));
                break;
            case "refusal":
                parts.Add(part.Text("refusal") ?? Missing(part, "refusal"));
                break;
            case "image_url" or "input_image":
                part.Errors.Add(part.PathOf("type"), "must be \"text\": images stand in messages of the user's");
                break;
            case { } type and ("input_audio" or "file" or "input_file"):
                part.Errors.Add(part.PathOf("type"), $"\"{type}\" is not supported by this server: models read text and images");
                break;
            default:
                part.Errors.Add(part.PathOf("type"), "must be \"text\"");
                break;
        }
    }

    private static void ReadUserPart(JsonFields part, ContentParts parts)
    {
        if (part.Text("type") is not ("image_url" or "input_image"))
            ReadTextPart(part, parts);
        else if (ReadImage(part, part.Errors) is { } image)
            parts.Add(image);
    }

    private static void ReadResultPart(JsonFields part, ContentParts parts)
    {
        switch (part.Text("type"))
        {
            case "image_url" or "input_image" when ReadImage(part, new FieldErrors()) is { } image:
                parts.Add(image);
                break;
            case "image_url" or "input_image":
                parts.Add(LeftOut.UnreadableImage);
                break;
            case "file" or "input_file":
                parts.Add(LeftOut.File);
                break;
            case "input_audio":
                parts.Add(LeftOut.Audio);
                break;
            default:
                ReadTextPart(part, parts);
                break;
        }
    }

    /// <summary><c>image_url</c> is an object with the URL in chats, and the URL itself in responses.</summary>
    private static ChatImage? ReadImage(JsonFields part, FieldErrors errors)
    {
        (JsonFields holder, string name) = part.Find("image_url") is { ValueKind: JsonValueKind.Object } && part.Object("image_url") is { } inner ? (inner, "url") : (part, "image_url");
        if (holder.Find(name) is { ValueKind: JsonValueKind.String } && holder.Text(name) is { } url)
            return ImageReader.ReadUrl(url, errors, holder.PathOf(name)) is { } image ? image with { Detail = holder.Text("detail") } : null;
        errors.Add(holder.PathOf(name), "must be a data: URL: files are not looked up here");
        return null;
    }

    private static string Missing(JsonFields part, string name)
    {
        part.Errors.Add(part.PathOf(name), "is required");
        return "";
    }
}
