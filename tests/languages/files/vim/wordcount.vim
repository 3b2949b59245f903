" Counts for the status line.

let g:wordcount_limit = 100000

" Counts the words of the buffer.
function! WordCount() abort
  return wordcount().words
endfunction

function! s:Refresh()
  redrawstatus
endfunction

command! -nargs=0 Words echo WordCount()
