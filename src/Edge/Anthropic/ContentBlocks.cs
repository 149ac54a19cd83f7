using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Anthropic;

/// <summary>The field <c>content</c> of a message, a tool's result or a system prompt: a string, or an array of blocks.</summary>
internal static class ContentBlocks
{
    /// <summary>The blocks; a string is one of text, of which <see cref="TextOf"/> knows.</summary>
    public static IReadOnlyList<JsonFields> Read(JsonFields parent, string name)
    {
        if (parent.Find(name) is { ValueKind: JsonValueKind.Array })
            return parent.Objects(name);
        if (parent.Find(name) is { ValueKind: not JsonValueKind.String })
            parent.Errors.Add(parent.PathOf(name), "must be a string or an array of content blocks");
        return [];
    }

    /// <summary>The field's text.</summary>
    /// <param name="read">A block's text, or a refusal of it; null: it has none to show.</param>
    public static string TextOf(JsonFields parent, string name, Func<JsonFields, string?> read) =>
        parent.Find(name) is { ValueKind: JsonValueKind.String }
            ? parent.Text(name) ?? ""
            : string.Join('\n', Read(parent, name).Select(read).OfType<string>());

    public static string Text(JsonFields block) => RequiredText(block, "text");

    /// <summary>Of a block <c>search_result</c>: what was found, below its title and its source. Nothing here cites it.</summary>
    public static string SearchResult(JsonFields block) =>
        string.Join('\n', [.. new[] { block.Text("title"), block.Text("source") }.OfType<string>(), .. Read(block, "content").Select(Text)]);

    /// <summary>Of a block <c>document</c>: its text, below its title and what is said of it. Nothing here cites it. Null where it has none: it is a PDF, or lies elsewhere.</summary>
    /// <param name="read">As <see cref="TextOf"/> has it, of a document that is blocks itself.</param>
    public static string? Document(JsonFields block, Func<JsonFields, string?> read)
    {
        string? text = block.Object("source") switch
        {
            { } source when source.Text("type") is "text" => RequiredText(source, "data"),
            { } source when source.Text("type") is "content" => source.IsSet("content") ? TextOf(source, "content", read) : RequiredText(source, "content"),
            _ => null,
        };
        return text is null ? null : string.Join('\n', new[] { block.Text("title"), block.Text("context"), text }.OfType<string>());
    }

    /// <summary>The image of a block; null and an error where it is none that can be read.</summary>
    /// <param name="errors">Where to note it.</param>
    public static ChatImage? Image(JsonFields block, FieldErrors errors)
    {
        JsonFields? source = block.Object("source");
        string path = source?.PathOf("data") ?? block.PathOf("source");
        if (source?.Text("type") == "base64" && source?.Text("data") is { } data)
            return ImageReader.ReadBase64(data, errors, path);
        errors.Add(path, "must be an image in base64, in a source of the type \"base64\": this server fetches nothing for its clients, and keeps no files of theirs here");
        return null;
    }

    /// <summary>Refuses a block of a type that does not belong where it stands, or that nothing here can read.</summary>
    /// <returns>Nothing to show.</returns>
    public static string? Refuse(JsonFields block)
    {
        string? type = block.Text("type");
        block.Errors.Add(block.PathOf("type"), type is "document"
            ? "\"document\" is read where it stands in a message of the user's or a result of a tool, and its source is of the type \"text\" or \"content\": models here read text and images, no PDF"
            : type is "image" ? "\"image\" stands in messages of the user's and results of tools"
            : $"\"{type}\" is not a type of content block that is supported here");
        return null;
    }

    private static string RequiredText(JsonFields fields, string name)
    {
        if (fields.Text(name) is { } text)
            return text;
        fields.Errors.Add(fields.PathOf(name), "is required");
        return "";
    }
}
