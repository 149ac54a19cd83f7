namespace OllamaMax.Jobs.Assembling;

/// <summary><see cref="ToolCallForm.Llama3"/>: at the answer's begin only, and no further than calls follow each other.</summary>
internal sealed class Llama3Calls : ToolCallParser
{
    private const string Tag = "<|python_tag|>";

    /// <summary>So far into an object its first field's name is looked at, to let answers in JSON go that are no calls.</summary>
    private const int FirstField = 32;

    private Place _place;

    private enum Place
    {
        Start,
        Tag,
        BehindTag,
        Object,
        BehindCall,
        Text,
    }

    protected override bool Step(char c) => _place switch
    {
        Place.Start or Place.BehindTag when char.IsWhiteSpace(c) => Hold(c),
        Place.Start or Place.BehindTag when c == '{' => BeginObject(),
        Place.Start when c == Tag[0] => Begin(Place.Tag),
        Place.Tag => Match(Tag, c) is { } isTag ? isTag ? Take(Place.BehindTag) : NoCall() : true,
        Place.Object => TakeJson(c),
        Place.BehindCall when char.IsWhiteSpace(c) => true,
        Place.BehindCall when c == ';' => Hold(c) && Take(Place.Start),
        Place.BehindCall when c == '{' || c == Tag[0] => Begin(Place.Start),
        Place.Text => Write(c),
        _ => NoCall(),
    };

    private bool TakeJson(char c)
    {
        if (HoldJson(c))
            return Take(Emit(ToolCallJson.Read(Json, mayLackArguments: false)) ? Place.BehindCall : Place.Text);
        if (JsonLength > FirstField || ToolCallJson.MayBeCall(Json))
            return true;
        Flush();
        return Take(Place.Text);
    }

    private bool BeginObject()
    {
        BeginJson();
        return Begin(Place.Object);
    }

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

    private bool NoCall()
    {
        Flush();
        return Begin(Place.Text);
    }
}
