using System.Text.Json;

namespace OllamaMax.Jobs.Assembling;

/// <summary>Finds the end of a call behind its name, in characters that come one by one, and reads it.</summary>
internal abstract class CallBody
{
    /// <summary>What it begins with, white space aside.</summary>
    public abstract IReadOnlyList<string> Begins { get; }

    public static CallBody Of(CallForm form, IReadOnlyDictionary<string, IReadOnlyDictionary<string, ArgumentTypes>>? arguments) => form.Syntax switch
    {
        TaggedSyntax tagged => new TaggedBody(tagged, form.Close.Trim(), arguments),
        LiteralSyntax literal => new LiteralBody(literal.Quote, !form.HasName ? '[' : literal.IsCall ? '(' : '{'),
        JsonArraySyntax array => new JsonBody('[', (_, json) => ToolCallJson.ReadAll(json, array.Name, array.Arguments)),
        _ => new JsonBody('{', (name, json) => ToolCallJson.Read(name, json) is { } call ? [call] : null),
    };

    /// <summary>Forgets what came before.</summary>
    public abstract void Restart();

    /// <summary>Whether the call may be whole with this character.</summary>
    public abstract bool Ends(char c);

    /// <param name="body">All that came.</param>
    /// <param name="isUnfinished">It only looked like the end.</param>
    /// <returns>Null: it is no call.</returns>
    public abstract IReadOnlyList<ToolCall>? Read(string name, string body, out bool isUnfinished);

    /// <summary>Reads what has not come to its end when the answer did. Nothing that may have been cut off is made whole.</summary>
    /// <param name="body">Without the mark that closes the call.</param>
    /// <param name="isClosed">That mark was there: what is missing is the model's fault.</param>
    /// <returns>Null: it is no call.</returns>
    public virtual IReadOnlyList<ToolCall>? Mend(string name, string body, bool isClosed) => null;
}

internal sealed class JsonBody(char open, Func<string, string, IReadOnlyList<ToolCall>?> read) : CallBody
{
    private JsonExtent _extent;
    private bool _isInside;

    public override IReadOnlyList<string> Begins { get; } = [$"{open}"];

    public override void Restart() => (_extent, _isInside) = (default, false);

    public override bool Ends(char c)
    {
        _isInside |= c == open;
        return _isInside && _extent.Add(c);
    }

    public override IReadOnlyList<ToolCall>? Read(string name, string body, out bool isUnfinished)
    {
        isUnfinished = false;
        return read(name, body);
    }
}

internal sealed class LiteralBody(string quote, char open) : CallBody
{
    private LiteralExtent _extent = new(quote);
    private bool _isInside;

    public override IReadOnlyList<ToolCall>? Mend(string name, string body, bool isClosed)
    {
        if (!isClosed || quote.Length == 0)
            return null;
        return MendedLiteral.Candidates(body, quote).Select(candidate => Read(name, candidate, out _)).FirstOrDefault(calls => calls is not null);
    }

    public override IReadOnlyList<string> Begins { get; } = [$"{open}"];

    public override void Restart() => (_extent, _isInside) = (new(quote), false);

    public override bool Ends(char c)
    {
        _isInside |= c == open;
        return _isInside && _extent.Add(c);
    }

    public override IReadOnlyList<ToolCall>? Read(string name, string body, out bool isUnfinished)
    {
        isUnfinished = false;
        LooseLiteral literal = new(body, quote);
        if (open == '[')
            return literal.ReadCalls();
        JsonElement? read = open == '(' ? literal.ReadArguments() : literal.Read();
        return read is { ValueKind: JsonValueKind.Object } arguments ? [new ToolCall(name, arguments)] : null;
    }
}
