using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Grammars;

/// <summary>
/// Grammars (GBNF) for answers that are calls, in the form in which the model writes them, with arguments that satisfy the tools' schemas. What they lead
/// to is what the assembler takes apart.
/// </summary>
public static class ToolGrammar
{
    /// <summary>More calls at once are no plan but a loop, as small models fall into.</summary>
    private const int MostCalls = 16;

    private static readonly JsonElement AnyObject = JsonElement.Parse("""{"type":"object"}""");

    /// <summary>Keywords that say nothing about the value.</summary>
    private static readonly string[] Annotations = ["$schema", "$id", "$comment", "title", "description"];

    /// <summary>An answer of calls of these tools, one at least.</summary>
    /// <param name="form">The model's; not <see cref="ToolCallForm.None"/>.</param>
    /// <param name="tools">At least one.</param>
    /// <param name="isSingle">One call at most.</param>
    /// <param name="answer">A grammar that the answer may follow instead; null: it must be calls.</param>
    /// <param name="failed">Name of the strict tool whose schema no grammar can say.</param>
    public static bool TryWrite(
        ToolCallForm form,
        IReadOnlyList<CallableTool> tools,
        bool isSingle,
        string? answer,
        [NotNullWhen(true)] out string? grammar,
        [NotNullWhen(false)] out string? failed,
        [NotNullWhen(false)] out SchemaError? error)
    {
        (grammar, failed, error) = (null, null, null);
        Shape shape = Shape.Of(form);
        StringBuilder all = new();
        all.Append(CultureInfo.InvariantCulture, $"root ::= calls{(answer is null ? "" : " | answer")}\n");
        string more = isSingle || shape.Between is null ? "" : $" ({GbnfText.Literal(shape.Between)} call){{0,{MostCalls - 1}}}";
        all.Append(CultureInfo.InvariantCulture, $"calls ::= {GbnfText.Literal(shape.Before)} call{more} {GbnfText.Literal(shape.Behind)}\n");
        all.Append("call ::= ").AppendJoin(" | ", tools.Select((_, i) => $"call-{i}")).Append('\n');
        for (int i = 0; i < tools.Count; i++)
        {
            if (!TryWriteArguments(tools[i].Parameters, out string? arguments, out error))
            {
                failed = tools[i].Name;
                if (tools[i].IsStrict)
                    return false;
                arguments = JsonGrammar.AnyObject;
            }
            string begin = $"{shape.BeforeName}{JsonEncodedText.Encode(tools[i].Name)}{shape.BehindName}";
            all.Append(CultureInfo.InvariantCulture, $"call-{i} ::= {GbnfText.Literal(begin)} call-{i}-root {GbnfText.Literal(shape.Close)}\n");
            string prefix = string.Create(CultureInfo.InvariantCulture, $"call-{i}-");
            GbnfText.AppendRenamed(all, arguments, name => prefix + name);
        }
        if (answer is not null)
            GbnfText.AppendRenamed(all, answer, name => name == "root" ? "answer" : $"answer-{name}");
        grammar = all.ToString();
        return true;
    }

    /// <summary>Arguments are an object, also where there is no schema or one that says nothing.</summary>
    private static bool TryWriteArguments(JsonElement? parameters, [NotNullWhen(true)] out string? grammar, [NotNullWhen(false)] out SchemaError? error)
    {
        JsonElement schema = parameters is { ValueKind: not JsonValueKind.Null } given ? given : AnyObject;
        if (!JsonGrammar.TryFromSchema(schema, out grammar, out error))
            return false;
        if (schema.ValueKind != JsonValueKind.Object || schema.EnumerateObject().All(keyword => Annotations.Contains(keyword.Name)))
            grammar = JsonGrammar.AnyObject;
        return true;
    }

    /// <param name="Before">Once, before the first call.</param>
    /// <param name="BeforeName">Of each call.</param>
    /// <param name="BehindName">Up to its arguments.</param>
    /// <param name="Close">Behind its arguments.</param>
    /// <param name="Between">Null: there is one call at most.</param>
    private sealed record Shape(string Before, string BeforeName, string BehindName, string Close, string? Between, string Behind)
    {
        public static Shape Of(ToolCallForm form) => form switch
        {
            ToolCallForm.Hermes => new("", "<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>", "\n", ""),
            ToolCallForm.Llama3 => new("", "{\"name\": \"", "\", \"parameters\": ", "}", "; ", ""),
            ToolCallForm.Mistral => new("[TOOL_CALLS][", "{\"name\": \"", "\", \"arguments\": ", "}", ", ", "]"),
            ToolCallForm.Harmony => new("", HarmonyGrammar.BeforeName, HarmonyGrammar.BehindName, "", null, ""),
            _ => throw new ArgumentOutOfRangeException(nameof(form), form, "No call can be written in it."),
        };
    }
}
