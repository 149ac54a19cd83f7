namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// The forms of <see cref="CallForms"/>, anywhere in the text. A call leaves with the last character of its arguments; marks that are missing around it are
/// forgiven, and so is white space that the template does not write.
/// </summary>
internal sealed class MarkedCalls : ToolCallParser
{
    private const int LongestName = 128;

    /// <summary>So far into the arguments it is looked at whether they may be any.</summary>
    private const int LongestBegin = 64;

    private readonly CallForm _form;
    private readonly CallBody _body;
    private readonly string _open;
    private readonly string _nameEnd;
    private readonly string _close;
    private readonly string[] _openings;
    private readonly string[] _behind;
    private List<string> _marks = [];
    private Place _place;
    private int _matched;

    /// <summary>Calls may follow without a mark of their own.</summary>
    private bool _isInSection;

    /// <summary>Where what is held has come behind the mark before a call, and where it has come to the name or the arguments.</summary>
    private int _opened;
    private int _start;
    private string _name = "";

    public MarkedCalls(CallForm form, IReadOnlyDictionary<string, IReadOnlyDictionary<string, ArgumentTypes>>? arguments)
    {
        _form = form;
        _body = CallBody.Of(form, arguments);
        _open = form.Open.Trim();
        _nameEnd = form.NameEnd.Trim();
        _close = form.Close.Trim();
        _openings = Marks(form.SectionOpen, form.Open);
        _behind = Marks(form.SectionOpen, form.Open, form.Syntax is TaggedSyntax ? "" : form.Close, form.SectionClose, form.Results);
    }

    private enum Place
    {
        Text,
        Mark,
        Section,
        Name,
        NameEnd,
        Body,
        BehindCall,
    }

    protected override bool Step(char c) => _place switch
    {
        Place.Text when char.IsWhiteSpace(c) => Hold(c),
        Place.Text when _openings.Any(mark => mark[0] == c) => BeginMark(_openings),
        Place.Text => Write(c),
        Place.Mark => TakeMark(c),
        Place.Section when char.IsWhiteSpace(c) => Hold(c),
        Place.Section => _isInSection ? BeginCall() && Begin(Place.Name) : BeginMark(_openings),
        Place.Name when char.IsWhiteSpace(c) && HeldFrom(_start).AsSpan().IsWhiteSpace() => Hold(c),
        Place.Name when IsOfName(c) && Held - _start < LongestName => Hold(c),
        Place.Name => EndName(),
        Place.NameEnd => TakeNameEnd(c),
        Place.Body => TakeBody(c),
        Place.BehindCall when char.IsWhiteSpace(c) => true,
        Place.BehindCall when _isInSection && IsOfName(c) => BeginCall() && Begin(Place.Name),
        _ => BeginMark(_behind),
    };

    protected override bool TryFinish()
    {
        if (_place != Place.Body)
            return false;
        string body = HeldFrom(_start);
        int end = _close.Length == 0 ? -1 : body.IndexOf(_close, StringComparison.Ordinal);
        if (_body.Mend(_name, end < 0 ? body : body[..end], isClosed: end >= 0) is not { } calls)
            return false;
        _place = Place.BehindCall;
        EmitAllAndStep(calls, end < 0 ? "" : body[(end + _close.Length)..]);
        return true;
    }

    private static string[] Marks(params string[] marks) => [.. marks.Select(mark => mark.Trim()).Where(mark => mark.Length > 0)];

    private static bool IsOfName(char c) => char.IsLetterOrDigit(c) || c is '_' or '-' or '.' or ':' or '/';

    private bool BeginMark(string[] marks)
    {
        (_marks, _matched) = ([.. marks], 0);
        return Begin(Place.Mark);
    }

    private bool TakeMark(char c)
    {
        _marks.RemoveAll(mark => mark[_matched] != c);
        if (_marks.Count == 0)
            return NoCall();
        Hold(c);
        _matched++;
        if (_marks.Find(mark => mark.Length == _matched) is not { } found)
            return true;
        if (found == _open)
            return BeginCall();
        _isInSection = _open.Length == 0 && found == _form.SectionOpen.Trim();
        if (found == _form.SectionOpen.Trim())
            return Take(Place.Section);
        Drop();
        return Take(Place.BehindCall);
    }

    private bool BeginCall()
    {
        (_opened, _start, _matched, _name) = (Held, Held, 0, "");
        return Take(_form.HasName ? Place.Name : Place.NameEnd);
    }

    private bool EndName()
    {
        _name = _form.NameIn(HeldFrom(_start).Trim());
        return _name.Length > 0 ? Begin(Place.NameEnd) : NoCallBehindMark();
    }

    private bool TakeNameEnd(char c)
    {
        if (_matched == 0 && char.IsWhiteSpace(c))
            return Hold(c);
        if (_nameEnd.Length == 0)
            return BeginBody() && Begin(Place.Body);
        if (_nameEnd[_matched] != c)
            return NoCallBehindMark();
        Hold(c);
        return ++_matched < _nameEnd.Length || (BeginBody() && Take(Place.Body));
    }

    private bool BeginBody()
    {
        _start = Held;
        _body.Restart();
        return true;
    }

    private bool TakeBody(char c)
    {
        if (Held - _start < LongestBegin && !MayBegin($"{HeldFrom(_start)}{c}".AsSpan().TrimStart()))
            return NoCallBehindMark();
        Hold(c);
        if (!_body.Ends(c))
            return true;
        string body = HeldFrom(_start);
        if (_body.Read(_name, body, out bool isUnfinished) is { } calls)
        {
            EmitAll(calls);
            return Take(Place.BehindCall);
        }
        if (isUnfinished)
            return true;
        // Another call may have begun within what is none.
        int again = body.LastIndexOf(_open, StringComparison.Ordinal);
        _place = Place.Text;
        FlushAndStepAgain(again < 0 ? Held : _start + again);
        return true;
    }

    private bool MayBegin(ReadOnlySpan<char> begin)
    {
        foreach (string known in _body.Begins)
        {
            if (begin.StartsWith(known, StringComparison.Ordinal) || known.AsSpan().StartsWith(begin, StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    /// <summary>The mark was none of a call; another one may stand behind it.</summary>
    private bool NoCallBehindMark()
    {
        _place = Place.Text;
        FlushAndStepAgain(_opened);
        return false;
    }

    private bool Take(Place place)
    {
        _place = place;
        return true;
    }

    private bool Begin(Place place)
    {
        _place = place;
        return false;
    }

    private bool NoCall()
    {
        Flush();
        return Begin(Place.Text);
    }
}
