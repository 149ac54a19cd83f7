namespace OllamaMax.Jobs.Assembling;

/// <summary>Finds the end of a <see cref="LooseLiteral"/> in brackets, in characters that come one by one.</summary>
/// <param name="quote">As <see cref="LiteralSyntax.Quote"/>.</param>
internal struct LiteralExtent(string quote)
{
    private int _depth;
    private int _matched;
    private bool _isQuoted;
    private char _string;
    private bool _isEscaped;

    /// <param name="c">The next character; the first one is the opening bracket.</param>
    /// <returns>Whether this is the closing bracket.</returns>
    public bool Add(char c)
    {
        if (quote.Length > 0)
        {
            _matched = TextMatch.Advance(quote, _matched, c);
            if (_matched == quote.Length)
                (_isQuoted, _matched) = (!_isQuoted, 0);
            return !_isQuoted && _matched == 0 && Nest(c);
        }
        if (_string != 0)
        {
            EndString(c);
            return false;
        }
        if (c is '"' or '\'')
            _string = c;
        return Nest(c);
    }

    private void EndString(char c)
    {
        if (_isEscaped)
            _isEscaped = false;
        else if (c == '\\')
            _isEscaped = true;
        else if (c == _string)
            _string = '\0';
    }

    private bool Nest(char c)
    {
        if (c is '{' or '[' or '(')
            _depth++;
        return c is '}' or ']' or ')' && --_depth == 0;
    }
}
