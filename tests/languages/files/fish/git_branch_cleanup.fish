# Deletes the branches of git that were merged already.
function clean_branches --description 'Delete merged branches'
    for branch in (git branch --merged | string trim)
        if test $branch != main
            git branch -d $branch
        end
    end
end

function current_branch
    git symbolic-ref --short HEAD
end
