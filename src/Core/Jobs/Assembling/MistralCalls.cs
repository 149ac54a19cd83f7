namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// <see cref="ToolCallForm.Mistral"/>, anywhere in the text. At the answer's begin the marker may be missing, as where a server does not write special
/// tokens; the newer <c>[TOOL_CALLS]name[ARGS]{…}</c> is read too.
/// </summary>
internal sealed class MistralCalls : ToolCallParser
{
    private const string Marker = "[TOOL_CALLS]";
    private const int LongestName = 128;
    private const int FirstField = 32;

    private Place _place;
    private bool _isMarked;
    private bool _isArray;
    private int _nameStart;

    private enum Place
    {
        Start,
        Bracket,
        Text,
        Marker,
        BehindMarker,
        Name,
        Arguments,
        BeforeObject,
        Object,
        BehindObject,
        BehindCall,
    }

    protected override bool Step(char c) => _place switch
    {
        Place.Start when char.IsWhiteSpace(c) => Hold(c),
        Place.Start when c == '[' => Hold(c) && Take(Place.Bracket),
        Place.Bracket when c == Marker[1] => Begin(Place.Marker, matched: 1),
        Place.Bracket => BeginArray(isMarked: false) && Begin(Place.BeforeObject),
        Place.Text when char.IsWhiteSpace(c) => Hold(c),
        Place.Text or Place.BehindCall when c == '[' => Begin(Place.Marker),
        Place.Text => Write(c),
        Place.Marker => Match(Marker, c) is { } isMarker ? isMarker ? Take(Place.BehindMarker) : NoCall() : true,
        Place.BehindMarker or Place.BeforeObject when char.IsWhiteSpace(c) => Hold(c),
        Place.BehindMarker when c == '[' => BeginArray(isMarked: true) && Hold(c) && Take(Place.BeforeObject),
        Place.BehindMarker when c == '{' => BeginSingle(),
        Place.BehindMarker when char.IsAsciiLetter(c) || c == '_' => BeginName(),
        Place.Name when c == '{' => BeginObject(Place.Arguments),
        Place.Name when IsOfName(c) && Held - _nameStart < LongestName => Hold(c),
        Place.Arguments => !HoldJson(c) || Take(Emit(ReadNamed()) ? Place.BehindCall : Place.Text),
        Place.BeforeObject when c == '{' => BeginObject(Place.Object),
        Place.Object => TakeJson(c),
        Place.BehindObject or Place.BehindCall when char.IsWhiteSpace(c) => true,
        Place.BehindObject when c == ',' => Hold(c) && Take(Place.BeforeObject),
        Place.BehindObject when c == ']' => Take(Place.BehindCall),
        _ => NoCall(),
    };

    private bool TakeJson(char c)
    {
        if (HoldJson(c))
        {
            bool isCall = Emit(ToolCallJson.Read(Json, mayLackArguments: _isMarked));
            return Take(!isCall ? Place.Text : _isArray ? Place.BehindObject : Place.BehindCall);
        }
        if (_isMarked || JsonLength > FirstField || ToolCallJson.MayBeCall(Json))
            return true;
        Flush();
        return Take(Place.Text);
    }

    private ToolCall? ReadNamed()
    {
        string name = BeforeJson(_nameStart);
        int end = name.IndexOf('[', StringComparison.Ordinal);
        return ToolCallJson.Read((end < 0 ? name : name[..end]).Trim(), Json);
    }

    /// <summary>A name, and markers such as <c>[ARGS]</c> behind it.</summary>
    private static bool IsOfName(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '[' or ']' or ' ';

    private bool BeginArray(bool isMarked)
    {
        (_isArray, _isMarked) = (true, isMarked);
        return true;
    }

    private bool BeginSingle()
    {
        (_isArray, _isMarked) = (false, true);
        return BeginObject(Place.Object);
    }

    private bool BeginName()
    {
        _nameStart = Held;
        return Begin(Place.Name);
    }

    private bool BeginObject(Place place)
    {
        BeginJson();
        return Begin(place);
    }

    private bool Take(Place place)
    {
        _place = place;
        return true;
    }

    private bool Begin(Place place, int matched = 0)
    {
        BeginMarker(matched);
        _place = place;
        return false;
    }

    private bool NoCall()
    {
        Flush();
        return Begin(Place.Text);
    }
}
