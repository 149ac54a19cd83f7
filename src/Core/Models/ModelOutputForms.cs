using System.Text.RegularExpressions;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

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
        ("<|channel>thought", "<channel|>"),
        ("Here is my thought process:", "Here is my response:"),
        ("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
        ("[THINK]", "[/THINK]"),
        ("<think>", "</think>"),
    ];

    /// <summary>What some write around the answer behind their reasoning; Granite's only where its prompt asks for it, as there they are no tokens.</summary>
    private static readonly AnswerTags[] KnownAnswerTags =
    [
        new("<|START_TEXT|>", "<|END_TEXT|>"),
        new("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
        new("<response>", "</response>"),
    ];

    /// <summary>
    /// What a template shows of the calls that its model writes, the more particular first: some forms stand in the marks of another one. A text may have to be there
    /// beside the mark.
    /// </summary>
    private static readonly (string Mark, string Beside, ToolCallForm Form)[] KnownCalls =
    [
        ("seed:tool_call>", "<function=", ToolCallForm.SeedOss),
        ("<function=", "<parameter=", ToolCallForm.Functions),
        // Arguments in JSON between the tags (functionary).
        ("<function=", "", ToolCallForm.None),
        ("<arg_key>", "", ToolCallForm.Glm),
        ("<minimax:tool_call>", "<invoke name=", ToolCallForm.MiniMax),
        ("｜DSML｜", "function_calls", ToolCallForm.Dsml),
        ("｜DSML｜", "tool_calls>", ToolCallForm.DsmlTools),
        ("<atem:invoke name=", "<atem:parameter name=", ToolCallForm.Atem),
        ("<invoke name=", "", ToolCallForm.None),
        ("<|tool_call>call:", "", ToolCallForm.Gemma4),
        ("<start_function_call>", "", ToolCallForm.FunctionGemma),
        ("<|tool_calls_section_begin|>", "", ToolCallForm.Kimi),
        ("<｜tool▁call▁begin｜>", "```json", ToolCallForm.DeepSeekFenced),
        ("<｜tool▁call▁begin｜>", "", ToolCallForm.DeepSeek),
        ("<|tool_call_start|>", "", ToolCallForm.Lfm2),
        ("<|tool_list_start|>", "", ToolCallForm.Lfm2),
        ("List of tools: [", "<|im_start|>", ToolCallForm.Lfm2),
        ("<|START_ACTION|>", "tool_name", ToolCallForm.Command),
        // Its prompt names other tags than it writes.
        ("<tool_calls>[", "", ToolCallForm.Apriel),
        ("<TOOLCALL>[", "", ToolCallForm.Nemotron2),
        ("<function_calls>", "<functions>", ToolCallForm.Olmo3),
        ("<tool_call>", "", ToolCallForm.Hermes),
        ("<|tool_call|>", "", ToolCallForm.Granite),
        ("[TOOL_CALLS]", "[CALL_ID]", ToolCallForm.MistralIdentified),
        ("[TOOL_CALLS]", "[ARGS]", ToolCallForm.MistralNamed),
        ("[TOOL_CALLS]", "", ToolCallForm.Mistral),
    ];

    /// <summary>Whether the template asks whether to think; the tags are the usual ones where it does not show them.</summary>
    [GeneratedRegex(@"\benable_thinking\b")]
    private static partial Regex ThinkingSwitch { get; }

    /// <summary>What stands around the model's reasoning; null where it does none, writes it in messages, or in a form that is not known.</summary>
    public static (string Open, string Close)? ThinkingTags(string? template)
    {
        if (template is null || IsHarmony(template) || IsAddressed(template))
            return null;
        foreach ((string Open, string Close) tags in KnownTags)
        {
            if (template.Contains(tags.Open, StringComparison.Ordinal) || template.Contains(tags.Close, StringComparison.Ordinal))
                return tags;
        }
        return ThinkingSwitch.IsMatch(TemplateCode.Of(template)) ? KnownTags[^1] : null;
    }

    /// <summary>What stands around the model's answer; null: nothing that is known.</summary>
    /// <param name="prompt">What the template has made.</param>
    public static AnswerTags? AnswerTags(string? template, string prompt) => template is null ? null : Array.Find(
        KnownAnswerTags,
        tags => template.Contains(tags.Open, StringComparison.Ordinal)
            && (tags.Open.StartsWith("<|", StringComparison.Ordinal) || prompt.Contains(tags.Open + tags.Close, StringComparison.Ordinal)));

    /// <inheritdoc cref="OutputParsing.Harmony"/>
    /// <param name="prompt">What the template has made.</param>
    public static string? Harmony(string? template, string prompt) => IsHarmony(template) ? HarmonyHeader.BegunBy(prompt, [HarmonyHeader.End]) : null;

    /// <inheritdoc cref="OutputParsing.Addressed"/>
    /// <param name="prompt">What the template has made.</param>
    public static string? Addressed(string? template, string prompt) => IsAddressed(template) ? HarmonyHeader.BegunBy(prompt, AddressedHeader.Ends) : null;

    /// <summary>Whether the model writes messages in channels, as OpenAI's harmony has it (gpt-oss).</summary>
    public static bool IsHarmony(string? template) =>
        template?.Contains("<|channel|>", StringComparison.Ordinal) == true && template.Contains("<|message|>", StringComparison.Ordinal);

    /// <summary>Whether the model writes messages to recipients, itself among them (Muse Glimmer).</summary>
    public static bool IsAddressed(string? template) =>
        template?.Contains(" to=self<|message|>", StringComparison.Ordinal) == true && !IsHarmony(template);

    /// <summary>How the model writes calls; <see cref="ToolCallForm.None"/> where it does not, or in a form that is not known.</summary>
    public static ToolCallForm ToolCalls(string? template)
    {
        if (template is null)
            return ToolCallForm.None;
        if (IsHarmony(template))
            return ToolCallForm.Harmony;
        foreach ((string mark, string beside, ToolCallForm form) in KnownCalls)
        {
            if (template.Contains(mark, StringComparison.Ordinal) && template.Contains(beside, StringComparison.Ordinal))
                return form;
        }
        return IsLlama3(template) ? ToolCallForm.Llama3 : ToolCallForm.None;
    }

    /// <summary>The token before calls, the words that ask for them, or the key of the arguments between Llama 3's headers.</summary>
    private static bool IsLlama3(string template) => template.Contains("<|python_tag|>", StringComparison.Ordinal)
        || template.Contains("\"name\": function name, \"parameters\":", StringComparison.Ordinal)
        || (template.Contains("<|start_header_id|>", StringComparison.Ordinal) && template.Contains("\"parameters\": ", StringComparison.Ordinal));
}
