using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OllamaMax.Grammars.Writing;

/// <summary>
/// How a constant is written: without whitespace, members in their order, numbers as in the schema, of characters only those escaped that
/// must be, in the shortest way.
/// </summary>
internal static class CanonicalJson
{
    public static string Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => $"{{{string.Join(',', value.EnumerateObject().Select(member => $"{Of(member.Name)}:{Of(member.Value)}"))}}}",
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Of))}]",
        JsonValueKind.String => Of(value.GetString()!),
        _ => value.GetRawText(),
    };

    public static string Of(string text)
    {
        StringBuilder json = new("\"");
        foreach (char character in text)
        {
            _ = character switch
            {
                '"' or '\\' => json.Append('\\').Append(character),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                < ' ' => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => json.Append(character),
            };
        }
        return json.Append('"').ToString();
    }
}
