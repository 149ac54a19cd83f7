namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// What stands around a call in a form in which the function's name has no quotes, and how its arguments are written. Marks are as the model's template
/// writes them; the white space at their ends need not be there when calls are read.
/// </summary>
internal sealed record CallForm
{
    /// <summary>Before the first call of several; empty: nothing.</summary>
    public string SectionOpen { get; init; } = "";

    /// <summary>Before each call; empty: nothing, they follow each other within <see cref="SectionOpen"/>.</summary>
    public required string Open { get; init; }

    /// <summary>Whether a name follows; otherwise names stand in the arguments' syntax.</summary>
    public bool HasName { get; init; } = true;

    /// <summary>What names begin with that is not theirs; it may be missing.</summary>
    public string NameBegin { get; init; } = "";

    /// <summary>Before a name its first part may stand again, as its namespace: <c>f.f</c>, <c>a.a.f</c>.</summary>
    public bool IsNamespaced { get; init; }

    /// <summary>The model writes something around calls that depends on them; then a grammar has no way to.</summary>
    public bool IsOnlyRead { get; init; }

    /// <summary>Names end in <c>:</c> and the call's number.</summary>
    public bool IsNumbered { get; init; }

    /// <summary>Between the name and the arguments.</summary>
    public string NameEnd { get; init; } = "";

    /// <summary>Behind the arguments.</summary>
    public string Close { get; init; } = "";

    public string SectionClose { get; init; } = "";

    /// <summary>What models write behind their calls, where the results are to stand; it is not theirs.</summary>
    public string Results { get; init; } = "";

    /// <summary>Between two calls of a section.</summary>
    public string Between { get; init; } = "";

    public required CallSyntax Syntax { get; init; }

    /// <summary>The function's name in what was read for it.</summary>
    public string NameIn(string read)
    {
        string name = read.StartsWith(NameBegin, StringComparison.Ordinal) ? read[NameBegin.Length..] : read;
        string[] parts = IsNamespaced ? name.Split('.', 3) : [];
        if (parts.Length > 1 && parts[0] == parts[1])
            name = name[(parts[0].Length + 1)..];
        int number = IsNumbered ? name.LastIndexOf(':') : -1;
        return number < 0 ? name : name[..number];
    }
}

/// <summary>How arguments are written.</summary>
internal abstract record CallSyntax;

/// <summary>A JSON object.</summary>
internal sealed record JsonSyntax : CallSyntax;

/// <summary>All calls are objects of one JSON array: <c>[{"name":…,"arguments":{…}}]</c>.</summary>
internal sealed record JsonArraySyntax(string Name, string Arguments) : CallSyntax
{
    /// <summary>The object has a number before all else, under this name; empty: none.</summary>
    public string Number { get; init; } = "";
}

/// <summary>
/// <see cref="LooseLiteral"/>s: an object behind the name, or, where there is none, calls as Python writes them: <c>[f(a=1), g()]</c>.
/// </summary>
/// <param name="Quote">Around strings that know no escapes; empty: they are as in Python.</param>
internal sealed record LiteralSyntax(string Quote) : CallSyntax
{
    /// <summary>Arguments behind a name are those of a call, <c>(a=1)</c>, and not an object.</summary>
    public bool IsCall { get; init; }
}

/// <summary>A pair of tags for each argument, with its value between them: text as it is, all else as JSON.</summary>
/// <param name="Open">Up to the argument's name.</param>
/// <param name="KeyEnd">Between name and value.</param>
/// <param name="ValueClose">Behind the value.</param>
internal sealed record TaggedSyntax(string Open, string KeyEnd, string ValueClose) : CallSyntax
{
    /// <summary>Instead of <see cref="KeyEnd"/> for what is no text; empty: it is the same.</summary>
    public string KeyEndOfJson { get; init; } = "";
}
