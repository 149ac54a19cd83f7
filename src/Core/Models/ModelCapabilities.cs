using System.Text.Json;
using System.Text.RegularExpressions;

namespace OllamaMax.Models;

/// <summary>What a model can do, in Ollama's words, from its metadata and the variables that its template reads.</summary>
internal static partial class ModelCapabilities
{
    public static IReadOnlyList<string> Find(string family, IReadOnlyDictionary<string, JsonElement> metadata, string? template)
    {
        List<string> found = [metadata.ContainsKey($"{family}.pooling_type") ? "embedding" : "completion"];
        if (metadata.ContainsKey($"{family}.vision.block_count"))
            found.Add("vision");
        if (HasFillInTheMiddle(metadata))
            found.Add("insert");
        string code = template is null ? "" : TemplateCode.Of(template);
        if (ToolsVariable.IsMatch(code))
            found.Add("tools");
        if (ThinkingVariable.IsMatch(code) || template?.Contains("<think>", StringComparison.Ordinal) == true)
            found.Add("thinking");
        return found;
    }

    private static bool HasFillInTheMiddle(IReadOnlyDictionary<string, JsonElement> metadata) =>
        metadata.ContainsKey("tokenizer.ggml.fim_pre_token_id") || metadata.ContainsKey("tokenizer.ggml.prefix_token_id");

    [GeneratedRegex(@"\btools\b")]
    private static partial Regex ToolsVariable { get; }

    [GeneratedRegex(@"\b(enable_thinking|reasoning_content|thinking)\b")]
    private static partial Regex ThinkingVariable { get; }
}
