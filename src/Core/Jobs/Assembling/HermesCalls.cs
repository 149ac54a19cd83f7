namespace OllamaMax.Jobs.Assembling;

/// <summary><see cref="ToolCallForm.Hermes"/>: anywhere in the text. A closing tag that is missing is forgiven.</summary>
internal sealed class HermesCalls : ToolCallParser
{
    private const string Open = "<tool_call>";
    private const string Close = "</tool_call>";

    private Place _place;

    private enum Place
    {
        Text,
        Open,
        BeforeObject,
        Object,
        BehindObject,
        Tag,
        Close,
        BehindCall,
    }

    protected override bool Step(char c) => _place switch
    {
        // White space may stand before a call, and belongs to it then.
        Place.Text when char.IsWhiteSpace(c) => Hold(c),
        Place.Text when c == Open[0] => Begin(Place.Open),
        Place.Text => Write(c),
        Place.Open => Match(Open, c) is { } isOpen ? isOpen ? Take(Place.BeforeObject) : NoCall() : true,
        Place.BeforeObject when char.IsWhiteSpace(c) => Hold(c),
        Place.BeforeObject when c == '{' => BeginObject(),
        Place.BeforeObject => NoCall(),
        Place.Object => !HoldJson(c) || Take(Emit(ToolCallJson.Read(Json, mayLackArguments: true)) ? Place.BehindObject : Place.Text),
        Place.BehindObject or Place.BehindCall when char.IsWhiteSpace(c) => true,
        Place.BehindObject when c == Close[0] => Hold(c) && Take(Place.Tag),
        Place.Tag => BeginTag(c == Close[1] ? Place.Close : Place.Open),
        Place.Close => Match(Close, c) is { } isClose ? isClose ? TakeClose() : NoCall() : true,
        _ => Begin(Place.Text),
    };

    private bool Take(Place place)
    {
        _place = place;
        return true;
    }

    private bool Begin(Place place)
    {
        BeginMarker(0);
        _place = place;
        return false;
    }

    private bool BeginTag(Place place)
    {
        BeginMarker(1);
        _place = place;
        return false;
    }

    private bool BeginObject()
    {
        BeginJson();
        return Begin(Place.Object);
    }

    private bool TakeClose()
    {
        Drop();
        return Take(Place.BehindCall);
    }

    private bool NoCall()
    {
        Flush();
        return Begin(Place.Text);
    }
}
