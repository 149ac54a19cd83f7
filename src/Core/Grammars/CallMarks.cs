using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Grammars;

/// <summary>What a grammar puts around calls and their arguments, in the form in which a model writes them.</summary>
/// <param name="Before">Once, before the first call.</param>
/// <param name="BeforeName">Of each call.</param>
/// <param name="BehindName">Up to its arguments.</param>
/// <param name="Close">Behind its arguments.</param>
/// <param name="Between">Null: there is one call at most.</param>
internal sealed record CallMarks(string Before, string BeforeName, string BehindName, string Close, string? Between, string Behind)
{
    /// <summary>Stands for a call's number.</summary>
    private const string Number = "{number}";

    /// <summary>Stands for the nine characters by which Mistral tells calls apart.</summary>
    private const string Id = "{id}";

    /// <summary>Stands for a line break that models of one family write and others leave out.</summary>
    private const string Line = "{line}";

    private static readonly (string Placeholder, string Expression)[] Placeholders = [(Number, "[0-9]{1,3}"), (Id, "[0-9a-zA-Z]{9}"), (Line, "[\\n]?")];

    /// <summary>How arguments are written, where it is not as JSON.</summary>
    public TaggedSyntax? Tagged { get; init; }

    /// <summary>Whether calls of the form can be written by a grammar.</summary>
    public static bool Has(ToolCallForm form) => form != ToolCallForm.None && CallForms.Of(form) is not ({ Syntax: LiteralSyntax } or { IsOnlyRead: true });

    public static CallMarks Of(ToolCallForm form) => form switch
    {
        ToolCallForm.Hermes => new("", "<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>", "\n", ""),
        ToolCallForm.Llama3 => new("", "{\"name\": \"", "\", \"parameters\": ", "}", "; ", ""),
        ToolCallForm.Mistral => new("[TOOL_CALLS][", "{\"name\": \"", "\", \"arguments\": ", "}", ", ", "]"),
        ToolCallForm.Harmony => new("", HarmonyGrammar.BeforeName, HarmonyGrammar.BehindName, "", null, ""),
        ToolCallForm.MistralNamed => new("", "[TOOL_CALLS]", "[ARGS]", "", "", ""),
        ToolCallForm.MistralIdentified => new("", "[TOOL_CALLS]", $"[CALL_ID]{Id}[ARGS]", "", "", ""),
        _ => Has(form) && CallForms.Of(form) is { } marks
            ? Of(marks)
            : throw new ArgumentOutOfRangeException(nameof(form), form, "No call can be written in it."),
    };

    /// <summary>The mark as an expression of GBNF.</summary>
    public static string Write(string mark)
    {
        foreach ((string placeholder, string expression) in Placeholders)
        {
            int at = mark.IndexOf(placeholder, StringComparison.Ordinal);
            if (at >= 0)
                return $"{Write(mark[..at])} {expression} {Write(mark[(at + placeholder.Length)..])}";
        }
        return GbnfText.Literal(mark);
    }

    /// <summary>A mark of <see cref="CallForms"/>, as <see cref="Write"/> takes it.</summary>
    public static string Lines(string mark) => mark.Replace("\n", Line, StringComparison.Ordinal);

    private static CallMarks Of(CallForm form)
    {
        if (form.Syntax is JsonArraySyntax array)
        {
            string number = array.Number.Length > 0 ? $"\"{array.Number}\": \"{Number}\", " : "";
            return new($"{form.Open}[", $"{{{number}\"{array.Name}\": \"", $"\", \"{array.Arguments}\": ", "}", ", ", $"]{form.Close}");
        }
        string behindName = (form.IsNumbered ? $":{Number}" : "") + Lines(form.NameEnd);
        return new(Lines(form.SectionOpen), form.Open + form.NameBegin, behindName, Lines(form.Close), Lines(form.Between), Lines(form.SectionClose))
        {
            Tagged = form.Syntax as TaggedSyntax,
        };
    }
}
