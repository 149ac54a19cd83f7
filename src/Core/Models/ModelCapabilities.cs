using System.Text.Json;
using System.Text.RegularExpressions;
using OllamaMax.Jobs;

namespace OllamaMax.Models;

/// <summary>
/// What a model can do here, in Ollama's words, from its metadata and the variables that its template reads. None sees: llama.cpp's libraries have no part for images.
/// </summary>
internal static partial class ModelCapabilities
{
    public static IReadOnlyList<string> Find(
        string family, IReadOnlyDictionary<string, JsonElement> metadata, string? template, FillInTheMiddle? fillInTheMiddle)
    {
        List<string> found = [metadata.ContainsKey($"{family}.pooling_type") ? "embedding" : "completion"];
        if (fillInTheMiddle is not null)
            found.Add("insert");
        string code = template is null ? "" : TemplateCode.Of(template);
        if (ToolsVariable.IsMatch(code) && ModelOutputForms.ToolCalls(template) != ToolCallForm.None)
            found.Add("tools");
        if (ModelOutputForms.ThinkingTags(template) is not null || ModelOutputForms.IsAddressed(template) || ThinkingVariable.IsMatch(code))
            found.Add("thinking");
        return found;
    }

    /// <summary>Whether the template tells the model of tools, be its calls understood or not.</summary>
    public static bool TellsOfTools(string? template) => template is not null && ToolsVariable.IsMatch(TemplateCode.Of(template));

    [GeneratedRegex(@"\btools\b")]
    private static partial Regex ToolsVariable { get; }

    /// <summary>Some think in channels (gpt-oss), or in a form that is not known: it can be asked for then, and comes as text.</summary>
    [GeneratedRegex(@"\bthinking\b")]
    private static partial Regex ThinkingVariable { get; }
}
