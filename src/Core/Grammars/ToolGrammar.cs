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
    internal static readonly string[] Annotations = ["$schema", "$id", "$comment", "title", "description", "default", "examples"];

    /// <summary>Whether answers can be held to calls in the form.</summary>
    public static bool CanWrite(ToolCallForm form) => CallMarks.Has(form);

    /// <summary>An answer of calls of these tools, one at least.</summary>
    /// <param name="form">The model's; one that <see cref="CanWrite"/>.</param>
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
        CallMarks marks = CallMarks.Of(form);
        StringBuilder all = new();
        all.Append(CultureInfo.InvariantCulture, $"root ::= calls{(answer is null ? "" : " | answer")}\n");
        string more = isSingle || marks.Between is null ? "" : $" ({CallMarks.Write(marks.Between)} call){{0,{MostCalls - 1}}}";
        all.Append(CultureInfo.InvariantCulture, $"calls ::= {CallMarks.Write(marks.Before)} call{more} {CallMarks.Write(marks.Behind)}\n");
        all.Append("call ::= ").AppendJoin(" | ", tools.Select((_, i) => $"call-{i}")).Append('\n');
        for (int i = 0; i < tools.Count; i++)
        {
            if (!TryWriteArguments(marks, tools[i].Parameters, out string? arguments, out error))
            {
                failed = tools[i].Name;
                if (tools[i].IsStrict)
                    return false;
                arguments = marks.Tagged is null ? JsonGrammar.AnyObject : TaggedGrammar.WriteLoosely(marks.Tagged, tools[i].Parameters);
            }
            string begin = $"{CallMarks.Write(marks.BeforeName)} {GbnfText.Literal(JsonEncodedText.Encode(tools[i].Name).ToString())} {CallMarks.Write(marks.BehindName)}";
            all.Append(CultureInfo.InvariantCulture, $"call-{i} ::= {begin} call-{i}-root {CallMarks.Write(marks.Close)}\n");
            string prefix = string.Create(CultureInfo.InvariantCulture, $"call-{i}-");
            GbnfText.AppendRenamed(all, arguments, name => prefix + name);
        }
        if (answer is not null)
            GbnfText.AppendRenamed(all, answer, name => name == "root" ? "answer" : $"answer-{name}");
        grammar = all.ToString();
        return true;
    }

    /// <summary>Arguments are an object, also where there is no schema or one that says nothing.</summary>
    private static bool TryWriteArguments(
        CallMarks marks, JsonElement? parameters, [NotNullWhen(true)] out string? grammar, [NotNullWhen(false)] out SchemaError? error)
    {
        if (marks.Tagged is not null)
            return TaggedGrammar.TryWrite(marks.Tagged, parameters, out grammar, out error);
        JsonElement schema = parameters is { ValueKind: not JsonValueKind.Null } given ? given : AnyObject;
        if (!JsonGrammar.TryFromSchema(schema, out grammar, out error))
            return false;
        if (schema.ValueKind != JsonValueKind.Object || schema.EnumerateObject().All(keyword => Annotations.Contains(keyword.Name)))
            grammar = JsonGrammar.AnyObject;
        return true;
    }
}
