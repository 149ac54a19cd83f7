using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>
/// Ids of a response and of its items. An item's is that of its response with its place there, so that it is the same however often and by whomever the
/// answer is written, and whoever has it finds the response.
/// </summary>
internal static class ResponseId
{
    private const string Prefix = "resp_";

    // None of the letters i, l, o and u stands in an id itself.
    private const char InputMark = 'i';
    private const char OutputMark = 'o';
    private const int IdLength = 26;

    public static string Of(string id) => Prefix + id;

    /// <summary>Reads what a client sends; what may be none finds nothing.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out string? id)
    {
        id = text.StartsWith(Prefix, StringComparison.Ordinal) && JobId.IsValid(text[Prefix.Length..]) ? text[Prefix.Length..] : null;
        return id is not null;
    }

    /// <param name="type">The item's, as in <c>function_call</c>.</param>
    public static string OfInput(string type, string id, int index) => OfItem(type, id, InputMark, index);

    public static string OfOutput(string type, string id, int index) => OfItem(type, id, OutputMark, index);

    /// <summary>Whose item it is.</summary>
    public static bool TryReadItem(string text, [NotNullWhen(true)] out string? id)
    {
        int start = text.IndexOf('_', StringComparison.Ordinal) + 1;
        bool hasMark = start > 0 && text.Length > start + IdLength && (text[start + IdLength] is InputMark or OutputMark);
        id = hasMark && JobId.IsValid(text.Substring(start, IdLength)) ? text.Substring(start, IdLength) : null;
        return id is not null;
    }

    private static string OfItem(string type, string id, char mark, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{PrefixOf(type)}_{id}{mark}{index}");

    private static string PrefixOf(string type) => type switch
    {
        "additional_tools" => "at",
        "reasoning" => "rs",
        "function_call" => "fc",
        "function_call_output" => "fco",
        "custom_tool_call" => "ctc",
        "custom_tool_call_output" => "ctco",
        _ => "msg",
    };
}
