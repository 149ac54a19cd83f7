using System.Text.RegularExpressions;
using OllamaMax.Jobs;

namespace OllamaMax.Models;

/// <summary>
/// How a model writes its reasoning and its calls, as its chat template shows: templates render earlier turns in the form in which the model
/// writes new ones.
/// </summary>
public static partial class ModelOutputForms
{
    /// <summary>The usual ones last: some templates name them beside their own.</summary>
    private static readonly (string Open, string Close)[] KnownTags =
    [
        ("<seed:think>", "</seed:think>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("[THINK]", "[/THINK]"),
        ("<think>", "</think>"),
    ];

    /// <summary>Whether the template asks whether to think; the tags are the usual ones where it does not show them.</summary>
    [GeneratedRegex(@"\benable_thinking\b")]
    private static partial Regex ThinkingSwitch { get; }

    /// <summary>What stands around the model's reasoning; null where it does none, or writes it in a form that is not known.</summary>
    public static (string Open, string Close)? ThinkingTags(string? template)
    {
        if (template is null)
            return null;
        foreach ((string Open, string Close) tags in KnownTags)
        {
            if (template.Contains(tags.Open, StringComparison.Ordinal) || template.Contains(tags.Close, StringComparison.Ordinal))
                return tags;
        }
        return ThinkingSwitch.IsMatch(TemplateCode.Of(template)) ? KnownTags[^1] : null;
    }

    /// <summary>How the model writes calls; <see cref="ToolCallForm.None"/> where it does not, or in a form that is not known.</summary>
    public static ToolCallForm ToolCalls(string? template)
    {
        if (template is null)
            return ToolCallForm.None;
        // Calls as XML stand in the same tag (Qwen3-Coder, GLM), or beside the same token (functionary): another form.
        if (template.Contains("<function=", StringComparison.Ordinal) || template.Contains("<arg_key>", StringComparison.Ordinal))
            return ToolCallForm.None;
        if (template.Contains("<tool_call>", StringComparison.Ordinal))
            return ToolCallForm.Hermes;
        if (template.Contains("[TOOL_CALLS]", StringComparison.Ordinal))
            return ToolCallForm.Mistral;
        return IsLlama3(template) ? ToolCallForm.Llama3 : ToolCallForm.None;
    }

    /// <summary>The token before calls, the words that ask for them, or the key of the arguments between Llama 3's headers.</summary>
    private static bool IsLlama3(string template) => template.Contains("<|python_tag|>", StringComparison.Ordinal)
        || template.Contains("\"name\": function name, \"parameters\":", StringComparison.Ordinal)
        || (template.Contains("<|start_header_id|>", StringComparison.Ordinal) && template.Contains("\"parameters\": ", StringComparison.Ordinal));
}
