using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>The field <c>input</c>: a string, which is a user's message, or an array of items.</summary>
internal static class InputField
{
    /// <summary>The items as they are kept: each has its type and an id, and messages have parts, not a string. To live on.</summary>
    /// <param name="id">The response's.</param>
    /// <param name="isOptional">There is a conversation to go on with.</param>
    public static IReadOnlyList<JsonElement> Read(JsonFields request, string id, bool isOptional)
    {
        if (request.Find("input") is { ValueKind: JsonValueKind.String })
            return [Message(request, id)];
        IReadOnlyList<JsonFields> items = Items(request);
        if (items.Count == 0 && !isOptional)
            request.Errors.Add("input", "must be a string or an array of at least one item");
        return [.. items.Select((item, index) => Whole(item, id, index))];
    }

    /// <summary>The items as they came.</summary>
    public static IReadOnlyList<JsonFields> Items(JsonFields request)
    {
        switch (request.Find("input"))
        {
            case { ValueKind: JsonValueKind.String }:
                return [new(Message(request, ""), "input", request.Errors)];
            case { ValueKind: not JsonValueKind.Array }:
                request.Errors.Add("input", "must be a string or an array of at least one item");
                return [];
            default:
                return request.Objects("input");
        }
    }

    private static JsonElement Message(JsonFields request, string id) => Write(json =>
    {
        json.WriteString("id"u8, ResponseId.OfInput("message", id, 0));
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "user"u8);
        json.WriteString("status"u8, "completed"u8);
        WriteContent(json, "input_text", request.Text("input") ?? "");
    });

    private static JsonElement Whole(JsonFields item, string id, int index)
    {
        JsonElement copy = item.Copy();
        string? own = item.Text("id");
        // With an error noted the request goes no further.
        if (item.Errors.First is not null)
            return copy;
        string type = item.Text("type") ?? "message";
        return Write(json =>
        {
            if (own is null)
                json.WriteString("id"u8, ResponseId.OfInput(type, id, index));
            if (!item.IsSet("type"))
                json.WriteString("type"u8, type);
            foreach (JsonProperty property in copy.EnumerateObject())
            {
                if (property is { Name: "content", Value.ValueKind: JsonValueKind.String } && type == "message")
                    WriteContent(json, item.Text("role") == "assistant" ? "output_text" : "input_text", property.Value.GetString()!);
                else if (property.Value.ValueKind != JsonValueKind.Null)
                    property.WriteTo(json);
            }
            if (type == "message" && !item.IsSet("status"))
                json.WriteString("status"u8, "completed"u8);
        });
    }

    private static void WriteContent(Utf8JsonWriter json, string type, string text)
    {
        json.WriteStartArray("content"u8);
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WriteString("text"u8, text);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static JsonElement Write(Action<Utf8JsonWriter> fields) => Json.Element(json =>
    {
        json.WriteStartObject();
        fields(json);
        json.WriteEndObject();
    });
}
