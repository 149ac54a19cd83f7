using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// Separates what stands between two tags from what follows, by Ollama's rules for reasoning: only at the very begin of the answer; a tag further back is
/// text. White space around the tags belongs to neither part, but for that before the closing one. At that begin models write a tag again that the prompt has
/// written already, the opening or the closing one: it belongs to neither part. What is between such tags again, right behind them, is more of the same.
/// </summary>
/// <param name="open">The opening tag.</param>
/// <param name="close">The closing one.</param>
/// <param name="isOpen">The text begins behind the opening tag.</param>
/// <param name="inside">Takes what is between them; not told of the end.</param>
/// <param name="next">Takes the rest.</param>
/// <param name="isBegun">The text goes on with one between the tags: its white space is that text's.</param>
internal sealed class TagSplitter(string open, string close, bool isOpen, ITextStage inside, ITextStage next, bool isBegun = false) : ITextStage
{
    /// <summary>White space, and what may become a tag.</summary>
    private readonly StringBuilder _held = new();

    /// <summary>Of what is held, the white space at its begin.</summary>
    private int _space;

    private Place _place = isBegun ? Place.Inside : isOpen ? Place.Opened : Place.Before;
    private int _matched;

    private enum Place
    {
        Before,
        Opened,
        SpaceInside,
        Inside,
        SpaceBehind,
        Behind,
    }

    /// <summary>The opening tag has come, and the closing one has not.</summary>
    public bool IsInside => _place is Place.Opened or Place.SpaceInside or Place.Inside;

    public void Append(ReadOnlySpan<char> text, AnswerParts parts)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (_place == Place.Behind)
            {
                next.Append(text[i..], parts);
                return;
            }
            Step(text[i], parts);
        }
    }

    public void Complete(AnswerParts parts, bool isCut)
    {
        if (_place == Place.Before || (_place == Place.SpaceBehind && _held.Length > 0))
            GiveUp(parts);
        else if (_place == Place.Opened)
            Begin(parts);
        if (_place == Place.Inside)
            inside.Append(close.AsSpan(0, _matched), parts);
        next.Complete(parts, isCut);
    }

    private void Step(char c, AnswerParts parts)
    {
        switch (_place)
        {
            case Place.Before:
                StepBefore(c, parts);
                break;
            case Place.Opened:
                StepOpened(c, parts);
                break;
            case Place.SpaceInside when !char.IsWhiteSpace(c):
                _place = Place.Inside;
                StepInside(c, parts);
                break;
            case Place.Inside:
                StepInside(c, parts);
                break;
            case Place.SpaceBehind when _held.Length > 0 || !char.IsWhiteSpace(c):
                StepBehind(c, parts);
                break;
        }
    }

    private void StepBefore(char c, AnswerParts parts)
    {
        string begin = Hold(c);
        if (begin == open)
            Enter(Place.SpaceInside);
        else if (begin == close)
            Enter(Place.SpaceBehind);
        else if (!open.StartsWith(begin, StringComparison.Ordinal) && !close.StartsWith(begin, StringComparison.Ordinal))
            GiveUp(parts);
    }

    private void StepOpened(char c, AnswerParts parts)
    {
        string begin = Hold(c);
        if (begin == open)
            Enter(Place.SpaceInside);
        else if (!open.StartsWith(begin, StringComparison.Ordinal))
            Begin(parts);
    }

    private void StepBehind(char c, AnswerParts parts)
    {
        string begin = Hold(c);
        if (begin == open)
            Enter(Place.SpaceInside);
        else if (!open.StartsWith(begin, StringComparison.Ordinal))
            GiveUp(parts);
    }

    /// <returns>What is held, without the white space before it.</returns>
    private string Hold(char c)
    {
        if (_held.Length == _space && char.IsWhiteSpace(c))
            _space++;
        _held.Append(c);
        return _held.ToString(_space, _held.Length - _space);
    }

    private void StepInside(char c, AnswerParts parts)
    {
        // What is held is the begin of the closing tag, as far as it is matched.
        int matched = TextMatch.Advance(close, _matched, c);
        int decided = _matched + 1 - matched;
        inside.Append(close.AsSpan(0, Math.Min(decided, _matched)), parts);
        if (decided > _matched)
            inside.Append([c], parts);
        _matched = matched;
        if (_matched == close.Length)
            Enter(Place.SpaceBehind);
    }

    private void Enter(Place place)
    {
        _place = place;
        _matched = _space = 0;
        _held.Clear();
    }

    /// <summary>What was held is inside.</summary>
    private void Begin(AnswerParts parts)
    {
        string held = _held.ToString();
        Enter(Place.SpaceInside);
        foreach (char c in held)
            Step(c, parts);
    }

    /// <summary>It did not begin with a tag: then all of it is the rest, its white space too.</summary>
    private void GiveUp(AnswerParts parts)
    {
        next.Append(_held.ToString(), parts);
        Enter(Place.Behind);
    }
}
